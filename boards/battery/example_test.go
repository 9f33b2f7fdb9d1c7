package battery_test

import (
	"fmt"
	"log"
	"time"

	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/boards/battery/batterytest"
)

// A UPS HAT (C) on bus 1 with a cell of 1 Ah. On a board the host is battery.LinuxHost().
func Example() {
	pack := &batterytest.Pack{Chemistry: battery.LiIon, Cells: 1, CapacityAh: 1, Ohms: 0.07, Percent: 60, Amps: -0.5}
	host := batterytest.NewBus(0x43, batterytest.NewINA219(pack, 0.01)).Host(1, "")

	hat, err := battery.Open(host, battery.Config{Device: "waveshare-ups-hat-c", Bus: new(1), CapacityAh: 1})
	if err != nil {
		log.Fatal(err)
	}
	status, err := hat.Sense(time.Now())
	if err != nil {
		log.Print(err) // the status says which values are unknown
	}
	if charge, ok := status.ChargePercent.Get(); ok {
		sigma, _ := status.ChargeUncertaintyPercent.Get()
		fmt.Printf("charge %.0f ± %.0f %%\n", charge, sigma)
	}
	if hours, ok := status.RemainingHours.Get(); ok {
		fmt.Printf("empty in %.1f h\n", hours)
	}
	if _, ok := status.ExternalPower.Get(); !ok {
		fmt.Println(status.ExternalPower.Reason())
	}
	// Output:
	// charge 61 ± 3 %
	// empty in 1.2 h
	// waveshare-ups-hat-c: does not tell whether there is external power
}

// What is on a bus of which nothing is known.
func ExampleProbe() {
	pack := &batterytest.Pack{Chemistry: battery.LiIon, Cells: 1, CapacityAh: 1, Percent: 60}
	host := batterytest.NewBus(0x36, &batterytest.MAX1704x{Pack: pack, Version: 0x0012}).Host(1, "")

	found, err := battery.Probe(host, 1)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range found {
		fmt.Printf("%#02x: %v (%s)\n", f.Address, f.Devices, f.Evidence)
	}
	// Output:
	// 0x36: [max17048 max17049] (version 0x0012)
}
