// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// reading are the methods that change nothing but the session.
var reading = regexp.MustCompile(`^(Retrieve|Query|Find|Fetch|Log(in|out)|Acquire|WaitFor|Check|Validate|Search|Continue|Cancel(Wait|Retr)|` +
	`Current|Get|List|Read|Session|Create(ContainerView|ListView|InventoryView|Filter|PropertyCollector|CollectorFor)|` +
	`Destroy(View|PropertyFilter|PropertyCollector|Collector)|Modify(ListView)|Set(Collector|Locale)|Re(set|wind)Collector|OpenInventory|` +
	`HttpNfcLease)`)

// handle refuses calls, and puts our object in front of the simulator's for those methods that are ours.
func (w *world) handle(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	if ctx.Session == nil {
		switch method.Name {
		case "RetrieveProperties", "RetrievePropertiesEx", "Fetch":
			return nil, &types.NotAuthenticated{NoPermission: types.NoPermission{
				Object: &method.This, PrivilegeId: "System.View",
			}}
		}
		return nil, nil
	}
	if !ours(ctx) && w.restricted(method.Name) {
		return nil, new(types.RestrictedVersion)
	}
	// the simulator asks the session first, and everywhere else it wants objects of its own kinds
	own := ctx.Session.Registry
	switch found := w.model.Map().Get(method.This).(type) {
	case *simulator.VirtualMachine:
		switch method.Name {
		case "ExportVm", "ShutdownGuest", "PowerOnVM_Task", "PowerOffVM_Task", "ReconfigVM_Task", "RefreshStorageInfo":
			if own.Get(method.This) == nil {
				own.Put(&machine{VirtualMachine: found, world: w})
			}
		}
	case *simulator.VirtualMachineSnapshot:
		if method.Name == "ExportSnapshot" && own.Get(method.This) == nil {
			own.Put(&snapshot{VirtualMachineSnapshot: found, world: w})
		}
	}
	return nil, nil
}

// ours says whether a call comes from this program itself.
func ours(ctx *simulator.Context) bool { return ctx.Session.UserName == "" }

func (w *world) restricted(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.said.Licence {
	case "free":
		return !reading.MatchString(name)
	case "free-export": // reports disagree on what the free licence permits
		return !reading.MatchString(name) && name != "ExportVm"
	}
	return false
}

// machine adds to a virtual machine what the simulator lacks.
type machine struct {
	*simulator.VirtualMachine
	world *world
}

// ExportVm gives a lease for the disks of a machine that is off.
func (m *machine) ExportVm(ctx *simulator.Context, _ *types.ExportVm) soap.HasFault {
	if m.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOff {
		return &methods.ExportVmBody{Fault_: simulator.Fault("", &types.InvalidPowerState{
			RequestedState: types.VirtualMachinePowerStatePoweredOff, ExistingState: m.Runtime.PowerState,
		})}
	}
	made := m.world.leaseOf(ctx, m.Self, m.Name, m.Config.Hardware.Device)
	return &methods.ExportVmBody{Res: &types.ExportVmResponse{Returnval: made}}
}

// ShutdownGuest asks the guest, which may not listen.
func (m *machine) ShutdownGuest(ctx *simulator.Context, req *types.ShutdownGuest) soap.HasFault {
	said := m.world.machine(m.Self)
	if m.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn && said.Tools != "running" {
		return &methods.ShutdownGuestBody{Fault_: simulator.Fault("", new(types.ToolsUnavailable))}
	}
	if m.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn && said.Shutdown == "ignore" {
		return &methods.ShutdownGuestBody{Res: new(types.ShutdownGuestResponse)}
	}
	if m.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn && said.ShutdownTime > 0 {
		go func() {
			time.Sleep(time.Duration(said.ShutdownTime * float64(time.Second)))
			vm := object.NewVirtualMachine(m.world.client, m.Self)
			if task, err := vm.PowerOff(context.Background()); err == nil {
				_ = task.Wait(context.Background())
			}
		}()
		return &methods.ShutdownGuestBody{Res: new(types.ShutdownGuestResponse)}
	}
	m.world.sleepy(m.VirtualMachine)
	return m.VirtualMachine.ShutdownGuest(ctx, req)
}

// PowerOnVMTask lets the guest's tools run and plugs in the cards that are to be.
func (m *machine) PowerOnVMTask(ctx *simulator.Context, req *types.PowerOnVM_Task) soap.HasFault {
	if m.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn {
		for _, card := range cards(m.VirtualMachine) {
			card.Connectable.Connected = card.Connectable.StartConnected
		}
		m.world.awake(m.VirtualMachine, m.world.machine(m.Self))
	}
	return m.VirtualMachine.PowerOnVMTask(ctx, req)
}

// PowerOffVMTask ends them.
func (m *machine) PowerOffVMTask(ctx *simulator.Context, req *types.PowerOffVM_Task) soap.HasFault {
	m.world.sleepy(m.VirtualMachine)
	return m.VirtualMachine.PowerOffVMTask(ctx, req)
}

// ReconfigVMTask measures disks again, as the simulator then counts holes.
func (m *machine) ReconfigVMTask(ctx *simulator.Context, req *types.ReconfigVM_Task) soap.HasFault {
	done := m.VirtualMachine.ReconfigVMTask(ctx, req)
	go func() {
		own := *m.world.model.Service.Context
		own.WithLock(m.VirtualMachine, func() { measure(m.world, m.VirtualMachine) }) // the task holds it until it is over
	}()
	return done
}

// RefreshStorageInfo does so too.
func (m *machine) RefreshStorageInfo(ctx *simulator.Context, req *types.RefreshStorageInfo) soap.HasFault {
	done := m.VirtualMachine.RefreshStorageInfo(ctx, req)
	measure(m.world, m.VirtualMachine)
	return done
}

func cards(vm *simulator.VirtualMachine) []*types.VirtualDevice {
	var found []*types.VirtualDevice
	for _, device := range vm.Config.Hardware.Device {
		if _, ok := device.(types.BaseVirtualEthernetCard); ok && device.GetVirtualDevice().Connectable != nil {
			found = append(found, device.GetVirtualDevice())
		}
	}
	return found
}

// snapshot gives leases for a machine that runs.
type snapshot struct {
	*simulator.VirtualMachineSnapshot
	world *world
}

// ExportSnapshot gives a lease for the disks of a snapshot.
func (s *snapshot) ExportSnapshot(ctx *simulator.Context, _ *types.ExportSnapshot) soap.HasFault {
	vm := s.world.model.Map().Get(s.Vm).(*simulator.VirtualMachine)
	made := s.world.leaseOf(ctx, s.Vm, vm.Name, s.Config.Hardware.Device)
	return &methods.ExportSnapshotBody{Res: &types.ExportSnapshotResponse{Returnval: made}}
}

// autostart is the manager that the simulator's hosts lack.
type autostart struct {
	mo.HostAutoStartManager
}

// ReconfigureAutostart changes the entries that it names; one without an action to start goes.
func (a *autostart) ReconfigureAutostart(ctx *simulator.Context, req *types.ReconfigureAutostart) soap.HasFault {
	config := a.Config
	if req.Spec.Defaults != nil {
		config.Defaults = req.Spec.Defaults
	}
	config.PowerInfo = slices.Clone(config.PowerInfo)
	for _, one := range req.Spec.PowerInfo {
		config.PowerInfo = slices.DeleteFunc(config.PowerInfo, func(old types.AutoStartPowerInfo) bool { return old.Key == one.Key })
		if one.StartAction != "none" && one.StartAction != "None" {
			config.PowerInfo = append(config.PowerInfo, one)
		}
	}
	ctx.Update(a, []types.PropertyChange{{Name: "config", Val: config}})
	return &methods.ReconfigureAutostartBody{Res: new(types.ReconfigureAutostartResponse)}
}

// addAutostart gives each host its manager, with the machines that are to start.
func (w *world) addAutostart() {
	for number, host := range w.hosts {
		made := &autostart{}
		made.Self = types.ManagedObjectReference{Type: "HostAutoStartManager", Value: "autostart-" + host.Reference().Value}
		made.Config.Defaults = &types.AutoStartDefaults{Enabled: types.NewBool(true), StartDelay: 120, StopDelay: 120}
		for ref, said := range w.known {
			if said.Host == number && said.Autostart > 0 {
				made.Config.PowerInfo = append(made.Config.PowerInfo, types.AutoStartPowerInfo{
					Key: ref, StartOrder: said.Autostart, StartDelay: -1, StartAction: "powerOn", StopDelay: -1,
					StopAction: "systemDefault", WaitForHeartbeat: types.AutoStartWaitHeartbeatSettingSystemDefault,
				})
			}
		}
		slices.SortFunc(made.Config.PowerInfo, func(a, b types.AutoStartPowerInfo) int { return int(a.StartOrder - b.StartOrder) })
		w.model.Map().Put(made)
		w.model.Map().Get(host.Reference()).(*simulator.HostSystem).ConfigManager.AutoStartManager = &made.Self
	}
}
