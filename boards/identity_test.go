package boards

import (
	"strings"
	"testing"

	"github.com/fathom-edge/fathom/boards/boardtest"
)

func TestIdentify(t *testing.T) {
	for _, tt := range []struct{ model, compatible, id string }{
		{"Raspberry Pi Zero 2 W Rev 1.0", "raspberrypi,model-zero-2-w brcm,bcm2837", "raspberry-pi-zero-2-w"},
		{"Raspberry Pi 3 Model B Rev 1.2", "raspberrypi,3-model-b brcm,bcm2837", "raspberry-pi-3b"},
		{"Raspberry Pi 3 Model B Plus Rev 1.3", "raspberrypi,3-model-b-plus brcm,bcm2837", "raspberry-pi-3b-plus"},
		{"Raspberry Pi 3 Model B Plus Rev 1.3", "", "raspberry-pi-3b-plus"}, // a kernel without compatible names, by the model
		{"Raspberry Pi 4 Model B Rev 1.4", "raspberrypi,4-model-b brcm,bcm2711", "raspberry-pi-4b"},
		{"Raspberry Pi 400 Rev 1.0", "", "raspberry-pi-400"},
		{"Raspberry Pi Compute Module 4 Rev 1.0", "raspberrypi,4-compute-module brcm,bcm2711", "raspberry-pi-cm4"},
		{"Raspberry Pi 5 Model B Rev 1.0", "raspberrypi,5-model-b brcm,bcm2712", "raspberry-pi-5"},
		{"Raspberry Pi Compute Module 5 Rev 1.0", "raspberrypi,5-compute-module brcm,bcm2712", "raspberry-pi-cm5"},
		{"Raspberry Pi 500 Rev 1.0", "raspberrypi,500 brcm,bcm2712", "raspberry-pi"},
		{"NVIDIA Jetson Nano Developer Kit", "nvidia,p3450-0000 nvidia,tegra210", "jetson-nano"},
		{"NVIDIA Jetson Nano Developer Kit", "nvidia,p3449-0000-b00+p3448-0000-b00 nvidia,jetson-nano nvidia,tegra210", "jetson-nano"},
		{"quill", "nvidia,p2597-0000+p3310-1000 nvidia,quill nvidia,tegra186", "jetson-tx2"},
		{"NVIDIA Jetson TX2 Developer Kit", "nvidia,p2771-0000 nvidia,tegra186", "jetson-tx2"},
		{"Jetson-AGX", "nvidia,p2972-0000 nvidia,tegra194", "jetson-agx-xavier"},
		{"NVIDIA Jetson Xavier NX Developer Kit", "nvidia,p3449-0000+p3668-0001 nvidia,tegra194", "jetson-xavier-nx"},
		{"NVIDIA Orin NX Developer Kit", "nvidia,p3509-0000+p3767-0001 nvidia,tegra234", "jetson-orin-nx"},
		{"NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super", "nvidia,p3768-0000+p3767-0005-super nvidia,p3767-0005 nvidia,tegra234", "jetson-orin-nano"},
		{"Jetson AGX Orin", "nvidia,p3737-0000+p3701-0005 nvidia,tegra234", "jetson-agx-orin"},
		{"NVIDIA Jetson TX1 Developer Kit", "nvidia,p2371-2180 nvidia,tegra210", "jetson"},
		{"Radxa ROCK 5B", "radxa,rock-5b rockchip,rk3588", ""},
	} {
		root := t.TempDir()
		boardtest.Write(t, root, "sys/firmware/devicetree/base/model", tt.model+"\x00")
		if tt.compatible != "" {
			boardtest.Write(t, root, "sys/firmware/devicetree/base/compatible", strings.ReplaceAll(tt.compatible, " ", "\x00")+"\x00")
		}
		got, err := Identify(root)
		if err != nil || got.ID != tt.id || got.Source != "device tree" {
			t.Errorf("%s (%s): %+v, %v; want %q", tt.model, tt.compatible, got, err, tt.id)
		}
		m, ok := got.Model()
		if ok != (tt.id != "") || m.ID != tt.id {
			t.Errorf("%s: table %q, %t", tt.id, m.ID, ok)
		}
	}
}

func TestIdentifyElsewhere(t *testing.T) {
	root := t.TempDir()
	if got, err := Identify(root); err != nil || !strings.HasPrefix(got.Name, "generic Linux/") {
		t.Errorf("nothing: %+v, %v", got, err)
	}
	boardtest.Write(t, root, "sys/class/dmi/id/product_name", "To Be Filled By O.E.M.\n")
	if got, err := Identify(root); err == nil || !strings.HasPrefix(got.Name, "generic Linux/") {
		t.Errorf("placeholder: %+v, %v", got, err)
	}
	boardtest.Write(t, root, "sys/class/dmi/id/product_name", "NUC7i5BNK\n")
	if got, err := Identify(root); err != nil || got.Name != "NUC7i5BNK" || got.Source != "DMI" || got.ID != "" {
		t.Errorf("PC: %+v, %v", got, err)
	}
	if _, err := Identify(root + "/none"); err == nil {
		t.Error("a root that is not there")
	}
}

// TestEveryFigureCitesItsSource, and every board has what it must.
func TestEveryFigureCitesItsSource(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Models() {
		if m.ID == "" || m.Name == "" || seen[m.ID] || len(m.compatible)+len(m.modules)+len(m.names) == 0 {
			t.Errorf("%+v", m)
		}
		seen[m.ID] = true
		for name, f := range map[string]*Figure{"limit": m.LimitCelsius, "kernel's limit": m.KernelLimitCelsius, "idle": m.IdleWatts, "full": m.FullWatts, "bus": m.HeaderI2CBus} {
			if f != nil && (f.Value <= 0 || len(f.Source) < 10) {
				t.Errorf("%s: %s %+v", m.ID, name, f)
			}
		}
		if m.IdleWatts != nil && m.FullWatts != nil && m.IdleWatts.Value >= m.FullWatts.Value {
			t.Errorf("%s: %g W idle, %g W busy", m.ID, m.IdleWatts.Value, m.FullWatts.Value)
		}
		for _, th := range m.Thermal {
			if th.ResistanceKelvinPerWatt <= 0 || th.Tau <= th.DieTau || th.Source == "" || th.Cooling == "" {
				t.Errorf("%s: %+v", m.ID, th)
			}
		}
	}
}
