package daemon

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/governor"
)

func keeperIn(t *testing.T, dir string, configured Settings) *keeper {
	return newKeeper(Config{StateDir: dir}, configured, func(err error) {
		if err != nil {
			t.Error(err)
		}
	})
}

func TestSettingsHoldUntilTheConfigurationChanges(t *testing.T) {
	configured := Settings{Policy: governor.PredictiveName, Objectives: governor.Objectives{FPS: 5}}
	made := Settings{Policy: governor.PredictiveName, Objectives: governor.Objectives{FPS: 2, LeastDepth: "a"}, Paused: true}
	dir := t.TempDir()
	k := keeperIn(t, dir, configured)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	k.watch(made)
	k.run(ctx) // what is left at the end

	if got, err := keeperIn(t, dir, configured).load(); err != nil || cmp.Diff(&made, got) != "" {
		t.Errorf("at the next start: %v (-want +got)\n%s", err, cmp.Diff(&made, got))
	}
	if diff := cmp.Diff([]string{"paused", "fps", "least_depth"}, overridden(configured, made)); diff != "" {
		t.Errorf("overridden (-want +got)\n%s", diff)
	}
	other := configured
	other.Objectives.FPS = 4
	if got, err := keeperIn(t, dir, other).load(); err == nil || got != nil {
		t.Errorf("under another configuration: %+v, %v", got, err)
	}
	k.watch(configured)
	k.run(ctx)
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("as configured, the folder has %v, %v", files, err)
	}
	if got, err := keeperIn(t, dir, configured).load(); got != nil || err != nil {
		t.Errorf("without a file: %+v, %v", got, err)
	}
}

func TestSettingsAreWrittenWhileItRuns(t *testing.T) {
	configured := Settings{Policy: governor.FixedName}
	dir := t.TempDir()
	k := keeperIn(t, dir, configured)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { k.run(ctx); close(done) }()
	k.watch(Settings{Policy: governor.StepwiseName})
	for got, _ := k.load(); got == nil; got, _ = k.load() {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
}

// A folder that cannot be written now is tried again: nobody has to change the settings once more.
func TestSettingsAreWrittenWhenTheDiskIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "away")
		var said []bool
		k := newKeeper(Config{StateDir: dir}, Settings{Policy: governor.FixedName}, func(err error) { said = append(said, err == nil) })
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { k.run(ctx); close(done) }()
		k.watch(Settings{Policy: governor.StepwiseName})
		time.Sleep(saveAgain + saveAgain/2)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * saveAgain)
		if got, err := k.load(); err != nil || got == nil {
			t.Errorf("%v, %v", got, err)
		}
		cancel()
		<-done
		if diff := cmp.Diff([]bool{false, false, true}, said); diff != "" {
			t.Errorf("told (-want +got)\n%s", diff)
		}
	})
}

// Whatever is in the file: settings or an error, and settings that were made under this configuration.
func FuzzSavedSettings(f *testing.F) {
	f.Add([]byte(`{"configured":{"policy":"fixed"},"settings":{"policy":"predictive","objectives":{"fps":2}}}`))
	f.Add([]byte(`{"configured":`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, settingsFile), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := keeperIn(t, dir, Settings{Policy: governor.FixedName}).load(); (got == nil) != (err != nil) {
			t.Fatalf("%+v with error %v", got, err)
		}
	})
}
