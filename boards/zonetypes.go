package boards

import "strings"

// zoneKind is what a temperature is good for.
type zoneKind int

const (
	// unrecognized temperatures count only on a board that has none of the processor.
	unrecognized zoneKind = iota
	// ignored ones are virtual, fixed or of something that does not limit the processor.
	ignored
	// onDie temperatures are of other parts of the processor's chip.
	onDie
	// ofCPU temperatures are of the processor itself. Without any of them the heat is unknown.
	ofCPU
)

// zoneType tells the kind of the zones whose type begins with prefix.
type zoneType struct {
	prefix string
	kind   zoneKind
	// otherTrips: the trip points are not about the processor's clock.
	otherTrips bool
}

// zoneTypes is searched from top to bottom, without regard to case: JetPack 5
// says CPU-therm where JetPack 6 says cpu-thermal. Zone numbers have no meaning.
var zoneTypes = []zoneType{
	{prefix: "cpu", kind: ofCPU},  // Raspberry Pi cpu-thermal, Jetson CPU-therm, many SoCs
	{prefix: "bcpu", kind: ofCPU}, // Jetson TX2
	{prefix: "mcpu", kind: ofCPU}, // Jetson TX2
	{prefix: "tj-", kind: ofCPU},  // Jetson Orin: hottest of its chip
	{prefix: "soc", kind: ofCPU},  // Rockchip soc-thermal, Orin soc0-thermal
	{prefix: "x86_pkg_temp", kind: ofCPU},
	{prefix: "bigcore", kind: ofCPU}, // RK3588
	{prefix: "littlecore", kind: ofCPU},
	{prefix: "gpu", kind: onDie},
	{prefix: "cv0", kind: onDie}, // Orin's vision units; off line where the module has none
	{prefix: "cv1", kind: onDie},
	{prefix: "cv2", kind: onDie},
	{prefix: "ao-therm", kind: onDie},
	{prefix: "aux-therm", kind: onDie}, // Xavier
	{prefix: "package-thermal", kind: onDie},
	{prefix: "pll-therm", kind: onDie, otherTrips: true}, // 70 °C there is about the memory's refresh
	{prefix: "npu", kind: onDie},
	{prefix: "center-thermal", kind: onDie},

	{prefix: "pmic-die", kind: ignored},        // reads 100 °C for ever
	{prefix: "thermal-fan-est", kind: ignored}, // a weighted estimate for the fan
	{prefix: "thermal_fan_est", kind: ignored}, // the same as a hardware monitor
	{prefix: "tboard", kind: ignored},          // the carrier board
	{prefix: "tdiode", kind: ignored},          // the carrier board's view of the chip
	{prefix: "iwlwifi", kind: ignored},         // a radio
	{prefix: "int3400", kind: ignored},         // a policy object with a made-up 20 °C
	{prefix: "battery", kind: ignored},
	{prefix: "bat", kind: ignored},
	{prefix: "nvme", kind: ignored},
}

// hwmonTypes are the hardware monitors of processors, for boards whose zones say
// nothing of them.
var hwmonTypes = []zoneType{
	{prefix: "coretemp", kind: ofCPU},
	{prefix: "k10temp", kind: ofCPU},
	{prefix: "zenpower", kind: ofCPU},
	{prefix: "cpu_thermal", kind: ofCPU},
	{prefix: "soc_thermal", kind: ofCPU},
	{prefix: "scpi_sensors", kind: ofCPU},
}

// typeOf returns the first of the types whose prefix the name begins with.
func typeOf(types []zoneType, name string) zoneType {
	name = strings.ToLower(name)
	for _, t := range types {
		if strings.HasPrefix(name, t.prefix) {
			return t
		}
	}
	return zoneType{}
}
