// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"
)

// world is a simulator and what the project adds to it.
type world struct {
	said   *Description
	model  *simulator.Model
	client *vim25.Client // within the process
	hosts  []*object.HostSystem
	dc     *object.Datacenter
	moids  map[string]string // ids of machines by name
	log    *journal

	password, thumbprint, listening string

	mu      sync.Mutex // for all below, and for what settings change
	known   map[types.ManagedObjectReference]Machine
	leases  map[string]*lease
	tickets map[string]time.Time
	users   map[string]string // by cookie
	fronts  map[string]string // by cookie: the Host header of the last call
}

func newWorld(said *Description, model *simulator.Model, log *journal) *world {
	return &world{
		said: said, model: model, log: log,
		moids: map[string]string{}, known: map[types.ManagedObjectReference]Machine{}, leases: map[string]*lease{},
		tickets: map[string]time.Time{}, users: map[string]string{}, fronts: map[string]string{},
	}
}

// furnish makes datastores, networks and machines.
func (w *world) furnish() error {
	ctx := context.Background()
	var err error
	if w.client, err = vim25.NewClient(ctx, w.model.Service); err != nil {
		return err
	}
	finder := find.NewFinder(w.client, false)
	if w.dc, err = finder.DefaultDatacenter(ctx); err != nil {
		return err
	}
	finder.SetDatacenter(w.dc)
	if w.hosts, err = finder.HostSystemList(ctx, "*"); err != nil {
		return err
	}
	for _, one := range w.said.Datastores {
		if err := w.addDatastore(ctx, one); err != nil {
			return fmt.Errorf("datastore %s: %w", one.Name, err)
		}
	}
	for _, one := range w.said.Networks {
		if err := w.addNetwork(ctx, one); err != nil {
			return fmt.Errorf("network %s: %w", one.Name, err)
		}
	}
	for _, one := range w.said.Machines {
		if err := w.addMachine(ctx, finder, one); err != nil {
			return fmt.Errorf("machine %s: %w", one.Name, err)
		}
	}
	w.addAutostart()
	w.model.Map().Handler = w.handle
	return nil
}

// place is the folder of a datastore.
func (w *world) place(datastore string) string {
	return filepath.Join(w.said.Folder, "datastores", datastore)
}

func (w *world) addDatastore(ctx context.Context, said Datastore) error {
	if err := os.MkdirAll(w.place(said.Name), 0o700); err != nil {
		return err
	}
	for _, host := range w.hosts {
		system, err := host.ConfigManager().DatastoreSystem(ctx)
		if err != nil {
			return err
		}
		made, err := system.CreateLocalDatastore(ctx, said.Name, w.place(said.Name))
		if err != nil {
			return err
		}
		// of what another host has already, this one gives no id
		if datastore, ok := w.model.Map().Get(made.Reference()).(*simulator.Datastore); ok {
			datastore.Summary.Type = or(said.Type, "VMFS")
		}
	}
	return nil
}

func (w *world) addNetwork(ctx context.Context, said Network) error {
	for _, host := range w.hosts {
		system, err := host.ConfigManager().NetworkSystem(ctx)
		if err != nil {
			return err
		}
		spec := types.HostPortGroupSpec{Name: said.Name, VlanId: said.VLAN, VswitchName: "vSwitch0"}
		if err := system.AddPortGroup(ctx, spec); err != nil {
			return err
		}
		known := w.model.Map().Get(host.Reference()).(*simulator.HostSystem)
		dc := w.model.Map().Get(w.dc.Reference()).(*simulator.Datacenter)
		if made := w.model.Map().FindByName(said.Name, dc.Network); made != nil && !slices.Contains(known.Network, made.Reference()) {
			known.Network = append(known.Network, made.Reference())
		}
	}
	return nil
}

func (w *world) addMachine(ctx context.Context, finder *find.Finder, said Machine) error {
	if said.Host < 0 || said.Host >= len(w.hosts) {
		return fmt.Errorf("there is no host %d", said.Host)
	}
	if said.Datastore == "" {
		said.Datastore = w.said.Datastores[0].Name
	}
	host := w.hosts[said.Host]
	pool, err := host.ResourcePool(ctx)
	if err != nil {
		return err
	}
	folders, err := w.dc.Folders(ctx)
	if err != nil {
		return err
	}
	spec, err := w.spec(ctx, finder, &said)
	if err != nil {
		return err
	}
	task, err := folders.VmFolder.CreateVM(ctx, *spec, pool, host)
	if err != nil {
		return err
	}
	done, err := task.WaitForResult(ctx, nil)
	if err != nil {
		return err
	}
	ref := done.Result.(types.ManagedObjectReference)
	vm := w.model.Map().Get(ref).(*simulator.VirtualMachine)
	w.adorn(vm, said)
	w.known[ref] = said
	w.moids[said.Name] = ref.Value
	if err := w.snapshots(ctx, object.NewVirtualMachine(w.client, ref), said.Snapshots); err != nil {
		return err
	}
	return w.power(ctx, object.NewVirtualMachine(w.client, ref), said)
}

func (w *world) snapshots(ctx context.Context, vm *object.VirtualMachine, said []Snapshot) error {
	for _, one := range said {
		task, err := vm.CreateSnapshot(ctx, one.Name, "", false, false)
		if err != nil {
			return err
		}
		if err := task.Wait(ctx); err != nil {
			return err
		}
		if err := w.snapshots(ctx, vm, one.Children); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) power(ctx context.Context, vm *object.VirtualMachine, said Machine) error {
	if said.Power != "on" && said.Power != "suspended" {
		return nil
	}
	task, err := vm.PowerOn(ctx)
	if err == nil {
		err = task.Wait(ctx)
	}
	if err == nil && said.Power == "suspended" {
		if task, err = vm.Suspend(ctx); err == nil {
			err = task.Wait(ctx)
		}
	}
	made := w.model.Map().Get(vm.Reference()).(*simulator.VirtualMachine)
	w.awake(made, said)
	for i, card := range cards(made) {
		if i < len(said.Nics) {
			card.Connectable.Connected = said.Power == "on" && !said.Nics[i].Disconnected
		}
	}
	return err
}

func (w *world) spec(ctx context.Context, finder *find.Finder, said *Machine) (*types.VirtualMachineConfigSpec, error) {
	spec := &types.VirtualMachineConfigSpec{
		Name:                  said.Name,
		GuestId:               or(said.GuestID, "otherGuest"),
		Firmware:              or(said.Firmware, "bios"),
		Version:               or(said.Hardware, "vmx-19"),
		NumCPUs:               max(said.CPUs, 1),
		NumCoresPerSocket:     types.NewInt32(max(said.Cores, 1)),
		MemoryMB:              max(said.MemoryMB, 128),
		Uuid:                  said.BiosUUID,
		InstanceUuid:          said.UUID,
		Annotation:            said.Annotation,
		ChangeTrackingEnabled: types.NewBool(said.CBT),
		Files:                 &types.VirtualMachineFileInfo{VmPathName: fmt.Sprintf("[%s] %s/%s.vmx", said.Datastore, said.Name, said.Name)},
		BootOptions:           &types.VirtualMachineBootOptions{EfiSecureBootEnabled: types.NewBool(said.SecureBoot)},
	}
	for key, value := range said.Extra {
		spec.ExtraConfig = append(spec.ExtraConfig, &types.OptionValue{Key: key, Value: value})
	}
	devices, err := w.devices(ctx, finder, said)
	if err != nil {
		return nil, err
	}
	spec.DeviceChange, err = devices.ConfigSpec(types.VirtualDeviceConfigSpecOperationAdd)
	for _, change := range spec.DeviceChange {
		change.GetVirtualDeviceConfigSpec().FileOperation = "" // its files are there
	}
	for _, one := range said.BootOrder {
		order, err := boot(one)
		if err != nil {
			return nil, err
		}
		spec.BootOptions.BootOrder = append(spec.BootOptions.BootOrder, order)
	}
	return spec, err
}

func boot(said string) (types.BaseVirtualMachineBootOptionsBootableDevice, error) {
	kind, text, _ := strings.Cut(said, ":")
	key, _ := strconv.Atoi(text)
	switch kind {
	case "disk":
		return &types.VirtualMachineBootOptionsBootableDiskDevice{DeviceKey: int32(key)}, nil
	case "nic":
		return &types.VirtualMachineBootOptionsBootableEthernetDevice{DeviceKey: int32(key)}, nil
	case "cdrom":
		return &types.VirtualMachineBootOptionsBootableCdromDevice{}, nil
	}
	return nil, fmt.Errorf("nothing boots from %q", said)
}

// adorn writes what the API does not let one say.
func (w *world) adorn(vm *simulator.VirtualMachine, said Machine) {
	if said.Encrypted {
		vm.Config.KeyId = &types.CryptoKeyId{KeyId: "lab"}
	}
	version := types.VirtualMachineToolsVersionStatusGuestToolsNotInstalled
	if said.Tools == "running" || said.Tools == "installed" {
		version = types.VirtualMachineToolsVersionStatusGuestToolsCurrent
	}
	if vm.Runtime.FaultToleranceState == "" {
		vm.Runtime.FaultToleranceState = types.VirtualMachineFaultToleranceStateNotConfigured // pyVmomi wants a word
		vm.Summary.Runtime.FaultToleranceState = vm.Runtime.FaultToleranceState
	}
	if vm.Runtime.RecordReplayState == "" {
		vm.Runtime.RecordReplayState = types.VirtualMachineRecordReplayStateInactive
		vm.Summary.Runtime.RecordReplayState = vm.Runtime.RecordReplayState
	}
	vm.Guest.GuestState = string(types.VirtualMachineGuestStateNotRunning)
	vm.Guest.ToolsVersionStatus2 = string(version)
	vm.Guest.ToolsVersionStatus = string(version)
	vm.Guest.ToolsRunningStatus = string(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning)
	vm.Summary.Guest.ToolsRunningStatus = vm.Guest.ToolsRunningStatus
	vm.Summary.Guest.ToolsVersionStatus2 = string(version)
	measure(w, vm)
	for i := range vm.Guest.Net {
		if i < len(said.Nics) {
			vm.Guest.Net[i].IpAddress = said.Nics[i].IPs
			vm.Guest.Net[i].Connected = !said.Nics[i].Disconnected
		}
	}
}

// awake is what a running guest tells.
func (w *world) awake(vm *simulator.VirtualMachine, said Machine) {
	if said.Tools == "running" {
		vm.Guest.ToolsRunningStatus = string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)
		vm.Guest.HostName = or(said.HostName, said.Name)
		vm.Guest.GuestState = string(types.VirtualMachineGuestStateRunning)
	}
	vm.Summary.Guest.ToolsRunningStatus = vm.Guest.ToolsRunningStatus
	vm.Summary.Guest.HostName = vm.Guest.HostName
}

// sleepy is the end of it.
func (w *world) sleepy(vm *simulator.VirtualMachine) {
	vm.Guest.GuestState = string(types.VirtualMachineGuestStateNotRunning)
	vm.Guest.ToolsRunningStatus = string(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning)
	vm.Summary.Guest.ToolsRunningStatus = vm.Guest.ToolsRunningStatus
	for _, card := range cards(vm) {
		card.Connectable.Connected = false
	}
}

// measure writes how much disks really take: the simulator counts holes as data.
func measure(w *world, vm *simulator.VirtualMachine) {
	committed := int64(0)
	for i := range vm.LayoutEx.File {
		file := &vm.LayoutEx.File[i]
		if strings.HasSuffix(file.Name, "-flat.vmdk") {
			file.Size = taken(w.local(file.Name))
			file.UniqueSize = file.Size
		}
		committed += file.Size
	}
	capacity := int64(0)
	for _, device := range object.VirtualDeviceList(vm.Config.Hardware.Device).SelectByType((*types.VirtualDisk)(nil)) {
		capacity += device.(*types.VirtualDisk).CapacityInBytes
	}
	if vm.Summary.Storage != nil {
		vm.Summary.Storage.Committed, vm.Summary.Storage.Unshared = committed, committed
		vm.Summary.Storage.Uncommitted = max(capacity-committed, 0)
	}
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
