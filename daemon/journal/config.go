package journal

import (
	"fmt"
	"time"
)

// Config bounds what a journal takes of a disk.
type Config struct {
	// Size from which on a new file is begun, bytes.
	FileBytes int64 `yaml:"file_bytes"`
	// How many files are kept, the current one among them.
	Files int `yaml:"files"`
	// What is written in an hour at most, bytes; lines beyond it are dropped, counted and told.
	BytesPerHour int64 `yaml:"bytes_per_hour"`
	// How often what was written is forced onto the disk.
	SyncEvery time.Duration `yaml:"sync_every"`
}

// DefaultConfig are the settings of an empty section.
func DefaultConfig() Config {
	return Config{FileBytes: 16 << 20, Files: 4, BytesPerHour: 32 << 20, SyncEvery: time.Minute}
}

// Validate says what is wrong; the message begins with the field.
func (c Config) Validate() error {
	switch {
	case c.FileBytes < 64<<10 || c.FileBytes > 1<<40:
		return fmt.Errorf("file_bytes: %d: want 65536 (64 KiB) or more", c.FileBytes)
	case c.Files < 1 || c.Files > 100:
		return fmt.Errorf("files: %d: want 1 to 100", c.Files)
	case c.BytesPerHour < 64<<10:
		return fmt.Errorf("bytes_per_hour: %d: want 65536 (64 KiB) or more", c.BytesPerHour)
	case c.SyncEvery < time.Second || c.SyncEvery > 24*time.Hour:
		return fmt.Errorf("sync_every: %v: want 1s to 24h", c.SyncEvery)
	}
	return nil
}
