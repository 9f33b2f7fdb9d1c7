package deploy

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Size is how many bytes Upload sends, without the archive's own.
func (j Job) Size() (int64, error) {
	size := int64(len(script))
	err := j.walk(func(_, _ string, info fs.FileInfo) error {
		size += info.Size()
		return nil
	})
	return size, err
}

// walk calls visit for each file, with its name in the upload.
func (j Job) walk(visit func(file, name string, info fs.FileInfo) error) error {
	if j.Package != "" {
		info, err := os.Stat(j.Package)
		if err == nil {
			err = visit(j.Package, "package.deb", info)
		}
		if err != nil {
			return err
		}
	}
	if j.Bundle == "" {
		return nil
	}
	return filepath.WalkDir(j.Bundle, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a plain file", file)
		}
		name, err := filepath.Rel(j.Bundle, file)
		if err != nil {
			return err
		}
		return visit(file, "bundle/"+filepath.ToSlash(name), info)
	})
}

// write writes the upload as a tar archive, deploy.sh last: an archive that was cut off has none.
func (j Job) write(w io.Writer) error {
	t := tar.NewWriter(w)
	err := j.walk(func(file, name string, info fs.FileInfo) error {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: info.Size(), ModTime: info.ModTime()}); err != nil {
			return err
		}
		_, err = io.Copy(t, f)
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range []struct{ name, content string }{{"settings.sh", j.settings()}, {"deploy.sh", script}} {
		if err := t.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content))}); err != nil {
			return err
		}
		if _, err := io.WriteString(t, f.content); err != nil {
			return err
		}
	}
	return t.Close()
}

// Upload copies package, bundle and script below a temporary name, and renames them when they are whole. sent is
// told of each piece how many bytes it has.
func (j Job) Upload(ctx context.Context, s *SSH, sent func(bytes int)) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(j.write(w)) }()
	in := &counter{from: r, sent: sent}
	err := s.Run(ctx, uploadCommand, in, s.stderr)
	r.Close()
	if in.err != nil {
		return fmt.Errorf("deploy: reading what is to be copied: %w", in.err)
	}
	if err != nil {
		return fmt.Errorf("deploy: copying: %w; nothing was changed on the board", err)
	}
	return nil
}

// counter remembers why reading failed, which a process that it feeds cannot tell.
type counter struct {
	from io.Reader
	sent func(bytes int)
	err  error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.sent(n)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
		c.err = err
	}
	return n, err
}
