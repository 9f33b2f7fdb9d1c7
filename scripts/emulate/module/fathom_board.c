// SPDX-License-Identifier: GPL-2.0
/*
 * The sensors of a small board, for tests of the programs that read them: what
 * they say and how they fail is set in /sys/module/fathom_board/parameters.
 *
 *   I2C bus 1      a MAX17048 fuel gauge at 0x36 and an INA219 monitor at 0x40,
 *                  with plain I2C transfers, as the chips take them
 *   power supply   board_battery
 *   thermal zone   cpu-thermal, with a passive trip point
 *
 * Copyright the Fathom authors. This module alone is under the GPL, as it uses
 * symbols of the kernel that are for such modules; nothing links it.
 */
#include <linux/i2c.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/power_supply.h>
#include <linux/thermal.h>

#define PARAMETER(name, start, text)                                           \
	static int name = start;                                               \
	module_param(name, int, 0644);                                         \
	MODULE_PARM_DESC(name, text)

PARAMETER(gauge_percent, 90, "charge that the MAX17048 says, in per cent");
PARAMETER(gauge_millivolts, 4000, "voltage of its cell");
PARAMETER(load_millivolts, 5000, "voltage that the INA219 says");
PARAMETER(load_milliamps, 600, "current that it says, through 0.1 ohms");
PARAMETER(i2c_errno, 0, "if not 0, transfers fail with this error number");
PARAMETER(i2c_short, 0, "if not 0, transfers end before the last message");
PARAMETER(i2c_transfers, 0, "transfers that went well");
PARAMETER(battery_percent, 90, "charge that board_battery says, in per cent");
PARAMETER(mains_online, 0, "whether board_battery is charged");
PARAMETER(temperature, 40000, "of cpu-thermal, in millidegrees Celsius");
PARAMETER(temperature_errno, 0, "if not 0, cpu-thermal fails with this error number");

#define MAX17048_ADDRESS 0x36
#define MAX17048_VCELL 0x02
#define MAX17048_SOC 0x04
#define MAX17048_VERSION 0x08

#define INA219_ADDRESS 0x40
#define INA219_CONFIGURATION 0x00
#define INA219_SHUNT 0x01
#define INA219_BUS 0x02
#define INA219_CONVERSION_READY 0x02

/* Written by masters; transfers are one at a time, as the bus is locked. */
static u16 ina219_configuration = 0x399f;
static u8 pointers[128];

static u16 max17048_read(u8 reg)
{
	switch (reg) {
	case MAX17048_VCELL: /* 78.125 uV */
		return gauge_millivolts * 64 / 5;
	case MAX17048_SOC: /* 1/256 % */
		return gauge_percent * 256;
	case MAX17048_VERSION:
		return 0x0012;
	default:
		return 0;
	}
}

static u16 ina219_read(u8 reg)
{
	switch (reg) {
	case INA219_CONFIGURATION:
		return ina219_configuration;
	case INA219_SHUNT: /* 10 uV */
		return load_milliamps * 10;
	case INA219_BUS: /* 4 mV, above three bits */
		return (load_millivolts / 4) << 3 | INA219_CONVERSION_READY;
	default:
		return 0;
	}
}

/* Both chips take a register's number first, and have 16 bits in each, big-endian. */
static int transfer_one(const struct i2c_msg *msg)
{
	u16 value;
	int i;

	if (msg->addr != MAX17048_ADDRESS && msg->addr != INA219_ADDRESS)
		return -ENXIO;
	if (!(msg->flags & I2C_M_RD)) {
		if (msg->len > 0)
			pointers[msg->addr] = msg->buf[0];
		if (msg->len >= 3 && msg->addr == INA219_ADDRESS &&
		    msg->buf[0] == INA219_CONFIGURATION)
			ina219_configuration = msg->buf[1] << 8 | msg->buf[2];
		return 0;
	}
	for (i = 0; i < msg->len; i++) {
		u8 reg = pointers[msg->addr];

		value = msg->addr == INA219_ADDRESS ? ina219_read(reg) :
						      max17048_read(reg);
		msg->buf[i] = i % 2 ? value & 0xff : value >> 8;
	}
	return 0;
}

static int board_transfer(struct i2c_adapter *adapter, struct i2c_msg *msgs,
			  int count)
{
	int i, error;

	if (i2c_errno)
		return -abs(i2c_errno);
	for (i = 0; i < count; i++) {
		if (i2c_short && i == count - 1)
			return i;
		error = transfer_one(&msgs[i]);
		if (error)
			return error;
	}
	i2c_transfers++;
	return count;
}

static u32 board_functionality(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C;
}

static const struct i2c_algorithm board_algorithm = {
	.master_xfer = board_transfer,
	.functionality = board_functionality,
};

static struct i2c_adapter adapter = {
	.owner = THIS_MODULE,
	.name = "fathom test board",
	.nr = 1,
	.algo = &board_algorithm,
};

static enum power_supply_property battery_properties[] = {
	POWER_SUPPLY_PROP_STATUS,      POWER_SUPPLY_PROP_PRESENT,
	POWER_SUPPLY_PROP_CAPACITY,    POWER_SUPPLY_PROP_VOLTAGE_NOW,
	POWER_SUPPLY_PROP_CURRENT_NOW, POWER_SUPPLY_PROP_TECHNOLOGY,
	POWER_SUPPLY_PROP_SCOPE,
};

static int battery_get(struct power_supply *supply,
		       enum power_supply_property property,
		       union power_supply_propval *value)
{
	switch (property) {
	case POWER_SUPPLY_PROP_STATUS:
		value->intval = mains_online ? POWER_SUPPLY_STATUS_CHARGING :
					       POWER_SUPPLY_STATUS_DISCHARGING;
		return 0;
	case POWER_SUPPLY_PROP_PRESENT:
		value->intval = 1;
		return 0;
	case POWER_SUPPLY_PROP_CAPACITY:
		value->intval = battery_percent;
		return 0;
	case POWER_SUPPLY_PROP_VOLTAGE_NOW: /* uV */
		value->intval = 3900000;
		return 0;
	case POWER_SUPPLY_PROP_CURRENT_NOW: /* uA */
		value->intval = mains_online ? 500000 : -500000;
		return 0;
	case POWER_SUPPLY_PROP_TECHNOLOGY:
		value->intval = POWER_SUPPLY_TECHNOLOGY_LION;
		return 0;
	case POWER_SUPPLY_PROP_SCOPE:
		value->intval = POWER_SUPPLY_SCOPE_SYSTEM;
		return 0;
	default:
		return -EINVAL;
	}
}

static const struct power_supply_desc battery_description = {
	.name = "board_battery",
	.type = POWER_SUPPLY_TYPE_BATTERY,
	.properties = battery_properties,
	.num_properties = ARRAY_SIZE(battery_properties),
	.get_property = battery_get,
	.no_thermal = true,
};

static int zone_temperature(struct thermal_zone_device *zone, int *millidegrees)
{
	if (temperature_errno)
		return -abs(temperature_errno);
	*millidegrees = temperature;
	return 0;
}

/* Where this board throttles: one trip point, in millidegrees. */
static int zone_trip_type(struct thermal_zone_device *zone, int trip,
			  enum thermal_trip_type *type)
{
	*type = THERMAL_TRIP_PASSIVE;
	return 0;
}

static int zone_trip_temperature(struct thermal_zone_device *zone, int trip,
				 int *millidegrees)
{
	*millidegrees = 80000;
	return 0;
}

static struct thermal_zone_device_ops zone_operations = {
	.get_temp = zone_temperature,
	.get_trip_type = zone_trip_type,
	.get_trip_temp = zone_trip_temperature,
};

static struct power_supply *battery;
static struct thermal_zone_device *zone;

static int __init board_init(void)
{
	int error = i2c_add_numbered_adapter(&adapter);

	if (error)
		return error;
	battery = power_supply_register(&adapter.dev, &battery_description, NULL);
	if (IS_ERR(battery)) {
		error = PTR_ERR(battery);
		goto no_battery;
	}
	zone = thermal_zone_device_register("cpu-thermal", 1, 0, NULL,
					    &zone_operations, NULL, 0, 1000);
	if (IS_ERR(zone)) {
		error = PTR_ERR(zone);
		goto no_zone;
	}
	error = thermal_zone_device_enable(zone);
	if (!error)
		return 0;
	thermal_zone_device_unregister(zone);
no_zone:
	power_supply_unregister(battery);
no_battery:
	i2c_del_adapter(&adapter);
	return error;
}

static void __exit board_exit(void)
{
	thermal_zone_device_unregister(zone);
	power_supply_unregister(battery);
	i2c_del_adapter(&adapter);
}

module_init(board_init);
module_exit(board_exit);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Fathom authors");
MODULE_DESCRIPTION("Sensors of a board whose values and faults a test sets");
