// Package deploy carries a package and a bundle to a board over ssh, and has them
// installed there.
//
// It runs the system's ssh, so that keys, agents, jump hosts and ~/.ssh/config work
// as they do for the user. The work on the board is done by deploy.sh, which is
// copied there with what it installs. It goes on when the connection is lost, and
// brings back what was there before if fathomd is not well afterwards.
//
// What it keeps on the board lies in /srv/fathom and belongs to root: the bundles
// and packages of this deployment and of the one before, and the log of the last.
package deploy
