package boards

import "time"

// Sources of the figures below.
const (
	piDocs      = "raspberrypi/documentation, frequency-management: the ARM cores are progressively throttled between 80 and 85 °C"
	piSoftLimit = "raspberrypi/documentation, frequency-management: temp_soft_limit of the 3B+, 60 °C unless config.txt raises it"
	piHeader    = "bus 1 on every 40-pin header, as all HAT software uses it"
	pidramble   = "pidramble.com, power consumption benchmarks"
	piFits      = "derived from ThomasKaiser/sbc-bench logs"
	orinTrips   = "torvalds/linux and linux-tegra, tegra234.dtsi: cpu-sw-throttle passive 99 °C"
	rpicam      = "raspberrypi/documentation, rpicam-vid"
	gstreamer   = "NVIDIA's gst-launch pipelines with nvarguscamerasrc"
)

// The fast part of the heat: about 7 K at full load within 3 s on every board
// whose logs resolve it.
const (
	dieKelvin = 7
	dieTau    = 3 * time.Second
)

func figure(value float64, source string) *Figure { return &Figure{value, source} }

func thermal(cooling string, resistance float64, tau time.Duration, source string) Thermal {
	return Thermal{Cooling: cooling, ResistanceKelvinPerWatt: resistance, Tau: tau, DieKelvin: dieKelvin, DieTau: dieTau, Source: source}
}

var (
	piCamera = []Camera{{"Raspberry Pi camera",
		"rpicam-vid -t 0 -n --codec mjpeg --width WIDTH --height HEIGHT --framerate FPS -o -", rpicam}}
	pi5Camera = []Camera{{"Raspberry Pi camera (encoded in software)",
		"rpicam-vid -t 0 -n --codec mjpeg --low-latency --width WIDTH --height HEIGHT --framerate FPS -o -", rpicam}}
	jetsonCamera = []Camera{{"CSI camera through Argus",
		"gst-launch-1.0 -q nvarguscamerasrc ! video/x-raw(memory:NVMM),width=WIDTH,height=HEIGHT,format=NV12,framerate=FPS/1 ! nvjpegenc ! fdsink", gstreamer}}
)

// models lists the boards. Device tree names: torvalds/linux and raspberrypi/linux
// (bcm2710, bcm2711, bcm2712), NVIDIA's own trees of JetPack 4 to 6 for the part
// numbers. Those that name a kind of board only stand behind all others.
var models = []Model{
	{
		ID: "raspberry-pi-zero-2-w", Name: "Raspberry Pi Zero 2 W",
		LimitCelsius: figure(80, piDocs),
		IdleWatts:    figure(0.6, "cnx-software.com 2021-12-09, Raspberry Pi OS Lite"),
		FullWatts:    figure(2.5, "2.4 to 2.6 W: documentation's 350 mA typical, andrejacobs.org"),
		Thermal:      []Thermal{thermal("bare", 21, 140*time.Second, piFits+" 3DeL and 3E85, picockpit.com steady states")},
		HeaderI2CBus: figure(1, piHeader), Cameras: piCamera,
		compatible: []string{"raspberrypi,model-zero-2-w", "raspberrypi,model-zero-2"},
		names:      []string{"Raspberry Pi Zero 2"},
	},
	{
		ID: "raspberry-pi-3b", Name: "Raspberry Pi 3 Model B",
		LimitCelsius: figure(80, piDocs),
		IdleWatts:    figure(1.4, pidramble), FullWatts: figure(3.7, pidramble),
		Thermal: []Thermal{
			thermal("heatsink", 12.3, 72*time.Second, "fitted to sjchiass/pitemp, official case without top"),
			thermal("fan", 7.5, 48*time.Second, "fitted to sjchiass/pitemp, intake fan"),
		},
		HeaderI2CBus: figure(1, piHeader), Cameras: piCamera,
		compatible: []string{"raspberrypi,3-model-b"},
		names:      []string{"Raspberry Pi 3 Model B"},
	},
	{
		ID: "raspberry-pi-3b-plus", Name: "Raspberry Pi 3 Model B Plus",
		LimitCelsius: figure(60, piSoftLimit),
		IdleWatts:    figure(1.9, pidramble), FullWatts: figure(5.1, pidramble),
		HeaderI2CBus: figure(1, piHeader), Cameras: piCamera,
		compatible: []string{"raspberrypi,3-model-b-plus"},
		names:      []string{"Raspberry Pi 3 Model B Plus", "Raspberry Pi 3 Model B+"},
	},
	{
		ID: "raspberry-pi-4b", Name: "Raspberry Pi 4 Model B",
		LimitCelsius: figure(80, piDocs),
		IdleWatts:    figure(2.9, "2.7 to 3.1 W: "+pidramble+", documentation"),
		FullWatts:    figure(6.3, "6.1 to 6.5 W: "+pidramble+", documentation"),
		Thermal:      []Thermal{thermal("bare", 10, 60*time.Second, "8 to 12 K/W, and a slow part of about 700 s: "+piFits+" 1MFf, 3F9C and 3OBF")},
		HeaderI2CBus: figure(1, piHeader), Cameras: piCamera,
		compatible: []string{"raspberrypi,4-model-b"},
		names:      []string{"Raspberry Pi 4 Model B"},
	},
	{
		ID: "raspberry-pi-400", Name: "Raspberry Pi 400",
		LimitCelsius: figure(80, piDocs),
		HeaderI2CBus: figure(1, piHeader), // and no camera connector
		compatible:   []string{"raspberrypi,400"},
		names:        []string{"Raspberry Pi 400"},
	},
	{
		ID: "raspberry-pi-cm4", Name: "Raspberry Pi Compute Module 4",
		LimitCelsius: figure(80, piDocs),
		HeaderI2CBus: figure(1, piHeader), Cameras: piCamera,
		compatible: []string{"raspberrypi,4-compute-module", "raspberrypi,4-compute-module-s"},
		names:      []string{"Raspberry Pi Compute Module 4"},
	},
	{
		ID: "raspberry-pi-5", Name: "Raspberry Pi 5 Model B",
		LimitCelsius: figure(80, piDocs),
		IdleWatts:    figure(3.5, "3.3 to 3.8 W at the supply: sbc-bench Au3jaA"),
		FullWatts:    figure(7.4, "at the supply: sbc-bench Au3jaA"),
		Thermal: []Thermal{
			thermal("bare", 8.5, 80*time.Second, "resistance from phoronix.com, 89 °C peak without heatsink; the time is a guess"),
			thermal("Active Cooler", 3.6, 16*time.Second, piFits+" 8-NK"),
		},
		HeaderI2CBus: figure(1, piHeader), Cameras: pi5Camera,
		compatible: []string{"raspberrypi,5-model-b"},
		names:      []string{"Raspberry Pi 5 Model B"},
	},
	{
		ID: "raspberry-pi-cm5", Name: "Raspberry Pi Compute Module 5",
		LimitCelsius: figure(80, piDocs),
		HeaderI2CBus: figure(1, piHeader), Cameras: pi5Camera,
		compatible: []string{"raspberrypi,5-compute-module", "raspberrypi,5-compute-module-lite"},
		names:      []string{"Raspberry Pi Compute Module 5"},
	},
	{
		ID: "jetson-nano", Name: "NVIDIA Jetson Nano",
		KernelLimitCelsius: figure(97, "L4T device tree of a tegra210 board: CPU passive 97 °C"),
		IdleWatts:          figure(1.7, "POM_5V_IN at 4 % load, published tegrastats: 1.6 to 1.75 W"),
		Thermal:            []Thermal{thermal("developer kit's heatsink", 5, 250*time.Second, "180 to 400 s: derived from sbc-bench 4rLX")},
		HeaderI2CBus:       figure(1, "as HAT software for it uses"), Cameras: jetsonCamera,
		compatible: []string{"nvidia,jetson-nano", "nvidia,jetson-nano-2gb"},
		modules:    []string{"p3448-", "p3450-", "p3541-"},
		names:      []string{"NVIDIA Jetson Nano"},
	},
	{
		ID: "jetson-tx2", Name: "NVIDIA Jetson TX2",
		Cameras:    jetsonCamera,
		compatible: []string{"nvidia,jetson-tx2"},
		modules:    []string{"p3310", "p2771-", "p3489-", "p3636-"}, // TX2, its kit, TX2i and 4GB, TX2 NX
		names:      []string{"NVIDIA Jetson TX2"},
	},
	{
		ID: "jetson-agx-xavier", Name: "NVIDIA Jetson AGX Xavier",
		Cameras:    jetsonCamera,
		compatible: []string{"nvidia,jetson-xavier"},
		modules:    []string{"p2888-", "p2972-"},
		names:      []string{"NVIDIA Jetson AGX Xavier", "Jetson-AGX"},
	},
	{
		ID: "jetson-xavier-nx", Name: "NVIDIA Jetson Xavier NX",
		Cameras: jetsonCamera,
		modules: []string{"p3668-"},
		names:   []string{"NVIDIA Jetson Xavier NX"},
	},
	{
		ID: "jetson-orin-nano", Name: "NVIDIA Jetson Orin Nano",
		KernelLimitCelsius: figure(99, orinTrips),
		IdleWatts:          figure(4.4, "VDD_IN, published tegrastats: 4.2 to 4.7 W typical, 2.2 W tuned (NVIDIA forum 348662)"),
		Thermal:            []Thermal{thermal("developer kit's fan", 1.3, 40*time.Second, "derived from sbc-bench 4vy7, processor load only")},
		HeaderI2CBus:       figure(7, "developer kit, as published for it"), Cameras: jetsonCamera,
		modules: []string{"p3767-0003", "p3767-0004", "p3767-0005"},
		names:   []string{"NVIDIA Jetson Orin Nano", "NVIDIA Orin Nano"},
	},
	{
		ID: "jetson-orin-nx", Name: "NVIDIA Jetson Orin NX",
		KernelLimitCelsius: figure(99, orinTrips),
		HeaderI2CBus:       figure(7, "developer kit of the Orin Nano, as published for it"), Cameras: jetsonCamera,
		modules: []string{"p3767-0000", "p3767-0001", "p3767-0002"},
		names:   []string{"NVIDIA Jetson Orin NX", "NVIDIA Orin NX"},
	},
	{
		ID: "jetson-agx-orin", Name: "NVIDIA Jetson AGX Orin",
		KernelLimitCelsius: figure(99, orinTrips),
		Cameras:            jetsonCamera,
		modules:            []string{"p3701-"},
		names:              []string{"NVIDIA Jetson AGX Orin", "Jetson AGX Orin"},
	},

	{
		ID: "raspberry-pi", Name: "another Raspberry Pi",
		LimitCelsius: figure(80, piDocs),
		HeaderI2CBus: figure(1, piHeader), Cameras: piCamera,
		names: []string{"Raspberry Pi"},
	},
	{
		ID: "jetson", Name: "another NVIDIA Jetson",
		Cameras:    jetsonCamera,
		compatible: []string{"nvidia,tegra210", "nvidia,tegra186", "nvidia,tegra194", "nvidia,tegra234"},
	},
}
