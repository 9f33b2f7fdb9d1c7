package boards_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/boards/boardtest"
)

// tree unpacks a fixture, so that the examples print the same everywhere. On a
// board the root is "/".
func tree(name string) (root string, remove func()) {
	root, err := os.MkdirTemp("", "board")
	if err != nil {
		log.Fatal(err)
	}
	closeAll, err := boardtest.Unpack(filepath.Join("..", "testdata", "boards", name+".txtar"), root)
	if err != nil {
		log.Fatal(err)
	}
	return root, func() { closeAll(); os.RemoveAll(root) }
}

// One snapshot, within half a second whatever the sensors do.
func Example() {
	root, remove := tree("pi5")
	defer remove()

	board, err := boards.New(root, boards.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	s := board.Read(ctx)

	fmt.Println(s.Board)
	if celsius, ok := s.Heat.HottestCelsius.Get(); ok {
		margin, _ := s.Heat.MarginKelvin.Get()
		fmt.Printf("%.1f °C, %.1f K below its limit\n", celsius, margin)
	}
	if _, ok := s.Power.ChargePercent.Get(); !ok {
		fmt.Println("charge unknown:", s.Power.ChargePercent.Reason())
	}
	// Output:
	// Raspberry Pi 5 Model B Rev 1.0
	// 64.2 °C, 15.8 K below its limit
	// charge unknown: no battery found
}

// Which board it is, and what is known of its kind.
func ExampleIdentify() {
	root, remove := tree("jetson-tx2")
	defer remove()

	board, err := boards.Identify(root)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(board.ID, "-", board.Name)

	root, remove = tree("zero-2-w")
	defer remove()
	if board, err = boards.Identify(root); err != nil {
		log.Fatal(err)
	}
	if model, ok := board.Model(); ok {
		fmt.Printf("%s: %g W idle (%s)\n", model.Name, model.IdleWatts.Value, model.IdleWatts.Source)
	}
	// Output:
	// jetson-tx2 - NVIDIA Jetson TX2
	// Raspberry Pi Zero 2 W: 0.6 W idle (cnx-software.com 2021-12-09, Raspberry Pi OS Lite)
}
