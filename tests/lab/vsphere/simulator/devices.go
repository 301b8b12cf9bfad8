// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

// devices gives everything that is plugged into a machine.
func (w *world) devices(ctx context.Context, finder *find.Finder, said *Machine) (object.VirtualDeviceList, error) {
	var found object.VirtualDeviceList
	for i := range said.Disks {
		disk := &said.Disks[i]
		if err := w.complete(said, disk, i); err != nil {
			return nil, err
		}
		controller, more, err := controllerOf(found, disk)
		if err != nil {
			return nil, err
		}
		if more {
			found = append(found, controller)
		}
		if err := w.provision(*disk); err != nil {
			return nil, err
		}
		found = append(found, diskOf(*disk, controller))
	}
	if said.CDROM != "" {
		ide, err := found.CreateIDEController()
		if err != nil {
			return nil, err
		}
		drive, err := found.CreateCdrom(ide.(*types.VirtualIDEController))
		if err != nil {
			return nil, err
		}
		found = append(found, ide, found.InsertIso(drive, said.CDROM))
	}
	for i, nic := range said.Nics {
		card, err := w.card(ctx, finder, nic, i)
		if err != nil {
			return nil, err
		}
		found = append(found, card)
	}
	return append(found, others(said)...), nil
}

// complete writes what a description leaves out.
func (w *world) complete(said *Machine, disk *Disk, number int) error {
	if disk.Size <= 0 || disk.Size%512 != 0 {
		return fmt.Errorf("disk %d has %d bytes, which are no whole sectors", number, disk.Size)
	}
	disk.Controller = or(disk.Controller, "pvscsi")
	disk.Datastore = or(disk.Datastore, said.Datastore)
	if disk.Path == "" {
		name := said.Name
		if number > 0 {
			name = fmt.Sprintf("%s_%d", name, number)
		}
		disk.Path = path.Join(said.Name, name+".vmdk")
	}
	if disk.Unit == nil {
		unit := int32(0)
		for _, other := range said.Disks[:number] {
			if other.Controller == disk.Controller && other.Bus == disk.Bus && *other.Unit >= unit {
				unit = *other.Unit + 1
			}
		}
		if unit == 7 && number > 0 {
			unit++ // the controller's own
		}
		disk.Unit = &unit
	}
	if disk.Key == 0 {
		disk.Key = 2000 + int32(number)
	}
	disk.Mode = or(disk.Mode, "persistent")
	disk.Label = or(disk.Label, fmt.Sprintf("Hard disk %d", number+1))
	return nil
}

var controllers = map[string]struct {
	make func() types.BaseVirtualController
	key  int32
}{
	"pvscsi":       {func() types.BaseVirtualController { return new(types.ParaVirtualSCSIController) }, 1000},
	"lsilogic":     {func() types.BaseVirtualController { return new(types.VirtualLsiLogicController) }, 1100},
	"lsilogic-sas": {func() types.BaseVirtualController { return new(types.VirtualLsiLogicSASController) }, 1200},
	"buslogic":     {func() types.BaseVirtualController { return new(types.VirtualBusLogicController) }, 1300},
	"sata":         {func() types.BaseVirtualController { return new(types.VirtualAHCIController) }, 15000},
	"nvme":         {func() types.BaseVirtualController { return new(types.VirtualNVMEController) }, 31000},
	"ide":          {func() types.BaseVirtualController { return new(types.VirtualIDEController) }, 200},
}

// controllerOf gives the controller that a disk hangs on, and whether it is a new one.
func controllerOf(devices object.VirtualDeviceList, disk *Disk) (types.BaseVirtualDevice, bool, error) {
	kind, ok := controllers[disk.Controller]
	if !ok {
		return nil, false, fmt.Errorf("there is no controller %q", disk.Controller)
	}
	key := kind.key + disk.Bus
	if found := devices.FindByKey(key); found != nil {
		return found, false, nil
	}
	made := kind.make()
	controller := made.GetVirtualController()
	controller.Key, controller.BusNumber = key, disk.Bus
	if scsi, ok := made.(types.BaseVirtualSCSIController); ok {
		scsi.GetVirtualSCSIController().SharedBus = types.VirtualSCSISharingNoSharing
		scsi.GetVirtualSCSIController().ScsiCtlrUnitNumber = 7
		scsi.GetVirtualSCSIController().HotAddRemove = types.NewBool(true)
	}
	return made.(types.BaseVirtualDevice), true, nil
}

func diskOf(said Disk, controller types.BaseVirtualDevice) types.BaseVirtualDevice {
	file := types.VirtualDeviceFileBackingInfo{FileName: said.name()}
	disk := &types.VirtualDisk{CapacityInBytes: said.Size, CapacityInKB: said.Size / 1024}
	disk.Key, disk.UnitNumber = said.Key, said.Unit
	disk.ControllerKey = controller.GetVirtualDevice().Key
	disk.DeviceInfo = &types.Description{Label: said.Label}
	switch said.Backing {
	case "sesparse":
		backing := &types.VirtualDiskSeSparseBackingInfo{VirtualDeviceFileBackingInfo: file, DiskMode: said.Mode, Uuid: said.UUID}
		backing.Parent = sparseParent(said.Chain)
		disk.Backing = backing
	case "rdm-virtual", "rdm-physical":
		disk.Backing = &types.VirtualDiskRawDiskMappingVer1BackingInfo{
			VirtualDeviceFileBackingInfo: file, DiskMode: said.Mode, Uuid: said.UUID, Sharing: said.Sharing,
			LunUuid: "0200000000600508b4000971fa0000a000000000", DeviceName: "vml.0200000000600508b4000971fa0000a0",
			CompatibilityMode: map[string]string{"rdm-virtual": "virtualMode", "rdm-physical": "physicalMode"}[said.Backing],
		}
	default:
		disk.Backing = &types.VirtualDiskFlatVer2BackingInfo{
			VirtualDeviceFileBackingInfo: file, DiskMode: said.Mode, Uuid: said.UUID, Sharing: said.Sharing,
			ThinProvisioned: types.NewBool(said.Thin), Parent: flatParent(said.Chain),
		}
	}
	return disk
}

func flatParent(chain []string) *types.VirtualDiskFlatVer2BackingInfo {
	if len(chain) == 0 {
		return nil
	}
	return &types.VirtualDiskFlatVer2BackingInfo{
		VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: chain[0]},
		DiskMode:                     "persistent", Parent: flatParent(chain[1:]),
	}
}

func sparseParent(chain []string) *types.VirtualDiskSeSparseBackingInfo {
	if len(chain) == 0 {
		return nil
	}
	return &types.VirtualDiskSeSparseBackingInfo{
		VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: chain[0]},
		DiskMode:                     "persistent", Parent: sparseParent(chain[1:]),
	}
}

func (w *world) card(ctx context.Context, finder *find.Finder, said Nic, number int) (types.BaseVirtualDevice, error) {
	network, err := finder.Network(ctx, or(said.Network, "VM Network"))
	if err != nil {
		return nil, err
	}
	backing, err := network.EthernetCardBackingInfo(ctx)
	if err != nil {
		return nil, err
	}
	var devices object.VirtualDeviceList
	card, err := devices.CreateEthernetCard(or(said.Model, "vmxnet3"), backing)
	if err != nil {
		return nil, err
	}
	inner := card.(types.BaseVirtualEthernetCard).GetVirtualEthernetCard()
	inner.Key = said.Key
	if inner.Key == 0 {
		inner.Key = 4000 + int32(number)
	}
	unit := int32(7 + number)
	inner.UnitNumber, inner.ControllerKey = &unit, 100
	inner.DeviceInfo = &types.Description{Label: fmt.Sprintf("Network adapter %d", number+1)}
	inner.AddressType = string(types.VirtualEthernetCardMacTypeAssigned)
	if said.MAC != "" {
		inner.MacAddress, inner.AddressType = said.MAC, string(types.VirtualEthernetCardMacTypeManual)
	}
	inner.Connectable = &types.VirtualDeviceConnectInfo{
		StartConnected: !said.NoStartConnect, Connected: !said.Disconnected, AllowGuestControl: true, Status: "ok",
	}
	return card, nil
}

// others are devices that no migration carries over.
func others(said *Machine) object.VirtualDeviceList {
	var found object.VirtualDeviceList
	if said.TPM {
		device := new(types.VirtualTPM)
		device.Key, device.ControllerKey = 11000, 100
		found = append(found, device)
	}
	for number, kind := range said.Devices {
		var device types.BaseVirtualDevice
		switch kind {
		case "passthrough":
			device = &types.VirtualPCIPassthrough{VirtualDevice: types.VirtualDevice{
				Backing: &types.VirtualPCIPassthroughDeviceBackingInfo{Id: "0000:3b:00.0", DeviceId: "1db6", VendorId: 0x10de},
			}}
		case "usb":
			device = &types.VirtualUSB{Connected: true, Vendor: 0x0781, Product: 0x5581}
		case "sriov":
			device = &types.VirtualSriovEthernetCard{}
		case "serial":
			device = &types.VirtualSerialPort{VirtualDevice: types.VirtualDevice{
				Backing: &types.VirtualSerialPortURIBackingInfo{},
			}}
		default:
			continue
		}
		inner := device.GetVirtualDevice()
		inner.Key, inner.ControllerKey = int32(13000+number), 100
		found = append(found, device)
	}
	return found
}
