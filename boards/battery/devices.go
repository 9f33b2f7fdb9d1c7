package battery

import (
	"fmt"
	"slices"
	"strings"
)

// Standing says how sure a register map is. None was tried on hardware.
type Standing string

const (
	FromDataSheet  Standing = "data sheet"
	FromVendor     Standing = "vendor's code"
	FromThirdParty Standing = "third party"
	// PartlyUnverified: the notes say what is a guess.
	PartlyUnverified Standing = "unverified in part"
	AsConfigured     Standing = "as configured"
)

// The functions that Device.Functions lists.
const (
	Voltage       = "voltage"
	Current       = "current"
	LoadPower     = "load power"
	Charge        = "charge"
	ChargeByVolts = "charge from voltage" // estimated here
	ChargeRate    = "charge rate"
	ExternalPower = "external power"
	LowBattery    = "low battery"
)

// Device is what is known of one product or chip.
type Device struct {
	// Name is that in Config.Device; Product is for people; Chip is what answers.
	Name, Product, Chip string
	// Addresses are the I²C addresses that it can have, the usual one first. A
	// device without any is on GPIO lines only. Movable ones can be given any address.
	Addresses []uint16
	Movable   bool
	// Cells in series and Chemistry that it is made for; zero where it takes any.
	Cells     int
	Chemistry string
	// Functions are what Fathom reads of it.
	Functions []string
	// Source is where the register map comes from, Notes what it leaves open.
	Source   string
	Standing Standing
	Notes    string
	// Test verifies it, without hardware.
	Test string

	monitor       monitor
	externalPower Line
	lowBattery    Line
	// chargeSigma is the standard deviation of the charge that the device tells, in
	// points, and 0 where nobody says.
	chargeSigma float64
	open        func(chip, Config) sensor // nil for GPIO only
}

// monitor is what a current monitor on a board leaves open.
type monitor struct {
	is        bool
	shunt     bool // has an outside shunt
	anywhere  bool // a bare chip: may measure the load, too
	ranges    bool // an INA219
	channels  int
	shuntOhms float64
	maxAmps   float64
	reverse   bool
}

// Devices returns what can be configured.
func Devices() []Device {
	all := slices.Clone(devices)
	for i := range all {
		all[i].Addresses = slices.Clone(all[i].Addresses)
		all[i].Functions = slices.Clone(all[i].Functions)
		all[i].Test = "TestDevices/" + all[i].Name
	}
	return all
}

func names() []string {
	var list []string
	for _, d := range devices {
		list = append(list, d.Name)
	}
	return list
}

func addresses(d Device) string {
	var list []string
	for _, a := range d.Addresses {
		list = append(list, fmt.Sprintf("%#02x", a))
	}
	return strings.Join(list, ", ")
}

// inaAddresses are those that two pins with four levels give.
var inaAddresses = []uint16{0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F}

// lcSigma is the LC709203F's "2.8 % accuracy of RSOC" (data sheet LC709203F/D, features).
const lcSigma = 2.8

var devices = []Device{
	// Chips
	{
		Name: "ina219", Product: "INA219 breakout", Chip: "INA219", Addresses: inaAddresses,
		Functions: []string{Voltage, Current, LoadPower, ChargeByVolts},
		Source:    "TI SBOS448G 8.5 and 8.6; Linux ina2xx.c", Standing: FromDataSheet,
		monitor: monitor{is: true, shunt: true, anywhere: true, ranges: true}, open: openINA(ina219),
	},
	{
		Name: "ina226", Product: "INA226 breakout", Chip: "INA226", Addresses: inaAddresses,
		Functions: []string{Voltage, Current, LoadPower, ChargeByVolts},
		Source:    "TI SBOS547B 7.1; Linux ina2xx.c", Standing: FromDataSheet,
		monitor: monitor{is: true, shunt: true, anywhere: true}, open: openINA(ina226),
	},
	{
		Name: "ina260", Product: "INA260 breakout", Chip: "INA260", Addresses: inaAddresses,
		Functions: []string{Voltage, Current, LoadPower, ChargeByVolts},
		Source:    "TI SBOS656C 8.6; Adafruit_INA260", Standing: FromDataSheet, Notes: "the data sheet's figures by way of Adafruit's driver",
		monitor: monitor{is: true, anywhere: true}, open: openINA(ina260),
	},
	{
		Name: "ina3221", Product: "INA3221 breakout", Chip: "INA3221", Addresses: inaAddresses[:4],
		Functions: []string{Voltage, Current, LoadPower, ChargeByVolts},
		Source:    "TI SBOS576C 7.6; Linux ina3221.c", Standing: FromDataSheet, Notes: "on a Jetson the kernel serves it: read through hwmon, refused here",
		monitor: monitor{is: true, shunt: true, anywhere: true, channels: 3}, open: openINA(ina3221),
	},
	gauge("max17040", "MAX17040 breakout", 1, max17040),
	gauge("max17041", "MAX17041 breakout", 2, max17041),
	gauge("max17043", "MAX17043 breakout", 1, max17040),
	gauge("max17044", "MAX17044 breakout", 2, max17041),
	gauge("max17048", "MAX17048 breakout", 1, max17048),
	gauge("max17049", "MAX17049 breakout", 2, max17049),
	{
		Name: "lc709203f", Product: "LC709203F breakout", Chip: "LC709203F", Addresses: []uint16{0x0B}, Cells: 1, Chemistry: LiIon,
		Functions: []string{Voltage, Charge}, Source: "ON Semiconductor LC709203F/D, \"Communication Protocol\"", Standing: FromDataSheet,
		chargeSigma: lcSigma, open: openLC709203F,
	},

	// Boards
	{
		Name: "waveshare-ups-hat", Product: "Waveshare UPS HAT (2S)", Chip: "INA219", Addresses: []uint16{0x42}, Cells: 2, Chemistry: LiIon,
		Functions: []string{Voltage, Current, ChargeByVolts}, Source: "Waveshare's demo (calibration 4096: 0.1 Ω); odya/hacs-ina219-ups-hat (sign)", Standing: FromVendor,
		monitor: monitor{is: true, shunt: true, ranges: true, shuntOhms: 0.1, maxAmps: 3.2}, open: openINA(ina219),
	},
	{
		Name: "waveshare-ups-hat-c", Product: "Waveshare UPS HAT (C)", Chip: "INA219", Addresses: []uint16{0x43}, Cells: 1, Chemistry: LiIon,
		Functions: []string{Voltage, Current, ChargeByVolts}, Source: "Waveshare's demo (calibration 26868: 0.01 Ω, 80 mV range)", Standing: FromVendor,
		monitor: monitor{is: true, shunt: true, ranges: true, shuntOhms: 0.01, maxAmps: 5}, open: openINA(ina219),
	},
	{
		Name: "waveshare-ups-hat-d", Product: "Waveshare UPS HAT (D)", Chip: "INA219", Addresses: []uint16{0x43}, Cells: 1, Chemistry: LiIon,
		Functions: []string{Voltage, Current, ChargeByVolts}, Source: "Waveshare's demo; odya/hass-ina219-ups-hat #30 (current reversed)", Standing: FromVendor,
		monitor: monitor{is: true, shunt: true, ranges: true, shuntOhms: 0.01, maxAmps: 5, reverse: true}, open: openINA(ina219),
	},
	{
		Name: "waveshare-ups-3s", Product: "Waveshare UPS Module 3S", Chip: "INA219", Addresses: []uint16{0x41}, Cells: 3, Chemistry: LiIon,
		Functions: []string{Voltage, Current, ChargeByVolts}, Source: "Waveshare's demo (calibration 26868: 0.01 Ω)", Standing: PartlyUnverified,
		Notes:   "the sign of the current is taken from the other boards of the family",
		monitor: monitor{is: true, shunt: true, ranges: true, shuntOhms: 0.01, maxAmps: 5}, open: openINA(ina219),
	},
	{
		Name: "waveshare-ups-hat-e", Product: "Waveshare UPS HAT (E)", Chip: "microcontroller with BQ4050", Addresses: []uint16{0x2D}, Cells: 4, Chemistry: LiIon,
		Functions: []string{Voltage, Current, Charge, ExternalPower, LowBattery}, Source: "int08h/waveshare-ups-hat-e", Standing: FromThirdParty,
		open: openWaveshareE,
	},
	{
		Name: "pisugar2", Product: "PiSugar 2", Chip: "IP5209", Addresses: []uint16{0x75}, Cells: 1, Chemistry: LiIon,
		Functions: []string{Voltage, Current, ChargeByVolts}, Source: "PiSugar ip5209.rs; Linux ip5xxx_power.c (signs)", Standing: FromVendor,
		open: openIP5xxx(ip5209),
	},
	{
		Name: "pisugar2-plus", Product: "PiSugar 2 Plus and Pro", Chip: "IP5312", Addresses: []uint16{0x75}, Cells: 1, Chemistry: LiIon,
		Functions: []string{Voltage, Current, ChargeByVolts}, Source: "PiSugar ip5312.rs", Standing: PartlyUnverified,
		Notes: "that a current into the battery is positive is taken from the IP5209", open: openIP5xxx(ip5312),
	},
	{
		Name: "pisugar3", Product: "PiSugar 3 and 3 Plus", Chip: "microcontroller", Addresses: []uint16{0x57}, Movable: true, Cells: 1, Chemistry: LiIon,
		Functions: []string{Voltage, Current, ChargeByVolts, ExternalPower}, Source: "PiSugar pisugar3.rs; docs.pisugar.com, PiSugar3 I2C Datasheet", Standing: PartlyUnverified,
		Notes: "that the output current is the battery's, and known on battery only", open: openPiSugar3,
	},
	{
		Name: "geekworm-x120x", Product: "Geekworm / SupTronics X1200, X1201, X1202", Chip: "MAX17040", Addresses: []uint16{0x36}, Cells: 1, Chemistry: LiIon,
		Functions: []string{Voltage, Charge, ExternalPower}, Source: "wiki.geekworm.com/X1200_Hardware; suptronics.com x1201 (GPIO6 high: supply present)", Standing: FromVendor,
		externalPower: Line{Name: "GPIO6"}, open: openMAX1704x(max17040),
	},
	{
		Name: "geekworm-x728", Product: "Geekworm / SupTronics X728", Chip: "MAX17040", Addresses: []uint16{0x36}, Cells: 1, Chemistry: LiIon,
		Functions: []string{Voltage, Charge, ExternalPower}, Source: "DavidAntliff/x728ups (GPIO6 high: supply lost)", Standing: FromThirdParty,
		Notes:         "the line works with the jumper for power-loss detection in place",
		externalPower: Line{Name: "GPIO6", ActiveLow: true}, open: openMAX1704x(max17040),
	},
	{
		Name: "geekworm-x7xx", Product: "Geekworm / SupTronics X703, X708 and others with a MAX17040", Chip: "MAX17040", Addresses: []uint16{0x36}, Cells: 1, Chemistry: LiIon,
		Functions: []string{Voltage, Charge}, Source: "vendor's scripts for the X708", Standing: FromVendor,
		Notes: "where the board has a power-loss line, name it in external_power_line", open: openMAX1704x(max17040),
	},
	{
		Name: "lifepo4wered", Product: "LiFePO4wered/Pi, /Pi3, /Pi+", Chip: "MSP430", Addresses: []uint16{0x43}, Movable: true, Cells: 1, Chemistry: LiFePO4,
		Functions: []string{Voltage, LoadPower, ChargeByVolts, ExternalPower, LowBattery}, Source: "xorbit/LiFePO4wered-Pi, lifepo4wered-data.c, ce57edb", Standing: FromVendor,
		Notes: "load power from register version 7 (Pi+) on; external power in versions 4, 6 and 7", open: openLiFePO4wered,
	},
	{
		Name: "pipower", Product: "SunFounder PiPower", Chip: "none",
		Functions: []string{ExternalPower, LowBattery}, Source: "sunfounder/pipower, examples/read_all.py", Standing: FromVendor,
		externalPower: Line{Name: "GPIO17"}, lowBattery: Line{Name: "GPIO27"},
	},
	{
		Name: "pipower3", Product: "SunFounder PiPower 3", Chip: "microcontroller", Addresses: []uint16{0x5B}, Cells: 2, Chemistry: LiIon,
		Functions: []string{Voltage, Charge, ExternalPower, LowBattery}, Source: "sunfounder/spc, spc_data_buffer_sheet.md", Standing: FromVendor,
		open: openPiPower(false),
	},
	{
		Name: "pipower5", Product: "SunFounder PiPower 5, Pironman 5 UPS", Chip: "microcontroller", Addresses: []uint16{0x5C}, Cells: 2, Chemistry: LiIon,
		Functions: []string{Voltage, Current, LoadPower, Charge, ExternalPower, LowBattery}, Source: "sunfounder/pipower5, driver/src; sunfounder/spc", Standing: PartlyUnverified,
		Notes: "the sign of the current is taken from the sister board's firmware; refused while the vendor's kernel driver serves it", open: openPiPower(true),
	},
	{
		Name: "dfrobot-ups-hat", Product: "DFRobot UPS HAT for Pi Zero", Chip: "microcontroller with MAX17043", Addresses: []uint16{0x10}, Cells: 1, Chemistry: LiIon,
		Functions: []string{Voltage, Charge}, Source: "package DFRobotUPS, after wiki.dfrobot.com", Standing: FromThirdParty,
		open: openDFRobot,
	},
	{
		Name: "pimoroni-lipo-shim", Product: "Pimoroni LiPo SHIM, Zero LiPo", Chip: "none",
		Functions: []string{LowBattery}, Source: "pimoroni/clean-shutdown, README", Standing: FromVendor,
		lowBattery: Line{Name: "GPIO4", ActiveLow: true},
	},
	{
		Name: "gpio", Product: "any board with a low-battery or power-loss line", Chip: "none",
		Functions: []string{ExternalPower, LowBattery}, Source: "configuration", Standing: AsConfigured,
	},
}

// gauge is a bare ModelGauge chip.
func gauge(name, product string, cells int, spec max1704xSpec) Device {
	d := Device{
		Name: name, Product: product, Chip: strings.ToUpper(name), Addresses: []uint16{0x36}, Cells: cells, Chemistry: LiIon,
		Functions: []string{Voltage, Charge}, Source: "Maxim 19-5210 (MAX17040/41) and the MAX17043/44 data sheet; Linux max17040_battery.c", Standing: FromDataSheet,
		open: openMAX1704x(spec),
	}
	if spec.rate {
		d.Functions = append(d.Functions, ChargeRate)
		d.Source = "Maxim 19-6171, register summary"
	}
	return d
}
