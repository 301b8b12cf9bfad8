// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// lease is the right to fetch a machine's disks for as long as its holder tells of progress.
type lease struct {
	mo.HttpNfcLease

	world *world
	mu    sync.Mutex
	files map[string]leased
	sent  []types.HttpNfcLeaseManifestEntry
	told  time.Time
	over  bool
}

// leased is a file of a lease.
type leased struct {
	key  string
	name string // on this machine
	size int64
	disk bool
}

var errOver = errors.New("the lease is over")

// leaseOf makes a lease for all files of a machine; it gets ready a moment later.
func (w *world) leaseOf(ctx *simulator.Context, entity types.ManagedObjectReference, name string, devices object.VirtualDeviceList) types.ManagedObjectReference {
	made := &lease{world: w, files: map[string]leased{}, told: time.Now()}
	made.Self = types.ManagedObjectReference{Type: "HttpNfcLease", Value: uuid.NewString()}
	made.State = types.HttpNfcLeaseStateInitializing
	made.Mode = string(types.HttpNfcLeaseModePushOrGet)
	w.model.Map().Put(made)
	w.mu.Lock()
	w.leases[made.Self.Value] = made
	w.mu.Unlock()
	info := &types.HttpNfcLeaseInfo{Lease: made.Self, Entity: entity, LeaseTimeout: int32(max(w.said.LeaseSeconds, 1))}
	w.list(ctx, made, info, entity, name, devices)
	go made.live(info)
	return made.Self
}

func (w *world) list(ctx *simulator.Context, made *lease, info *types.HttpNfcLeaseInfo, entity types.ManagedObjectReference, name string, devices object.VirtualDeviceList) {
	disks := 0
	add := func(device, target, file string, size int64, disk bool) {
		key := fmt.Sprintf("/%s/%s", entity.Value, device)
		made.files[target] = leased{key, file, size, disk}
		one := types.HttpNfcLeaseDeviceUrl{
			Key: key, ImportKey: fmt.Sprintf("/%s/%s", name, device), Disk: types.NewBool(disk), TargetId: target,
			Url:           fmt.Sprintf("https://%s/nfc/%s/%s", w.authority(ctx.Session.Key), made.Self.Value, url.PathEscape(target)),
			SslThumbprint: w.thumbprint,
		}
		if !disk {
			one.FileSize = size // of disks the API says nothing
		}
		info.DeviceUrl = append(info.DeviceUrl, one)
	}
	for _, device := range devices {
		inner := device.GetVirtualDevice()
		backing, ok := inner.Backing.(types.BaseVirtualDeviceFileBackingInfo)
		if !ok {
			continue
		}
		file := w.local(backing.GetVirtualDeviceFileBackingInfo().FileName)
		switch device := device.(type) {
		case *types.VirtualDisk:
			add(slot(devices, inner), fmt.Sprintf("disk-%d.vmdk", disks), flatOf(file), device.CapacityInBytes, true)
			info.TotalDiskCapacityInKB += device.CapacityInKB
			disks++
		case *types.VirtualCdrom:
			if state, err := os.Stat(file); err == nil {
				add(slot(devices, inner), "file-0.iso", file, state.Size(), false)
			}
		}
	}
	if vm, ok := w.model.Map().Get(entity).(*simulator.VirtualMachine); ok {
		file := strings.TrimSuffix(w.local(vm.Config.Files.VmPathName), ".vmx") + ".nvram"
		if state, err := os.Stat(file); err == nil {
			add("nvram", path.Base(file), file, state.Size(), false)
		}
	}
}

// slot is the place of a device, as keys of leases name it: ParaVirtualSCSIController0:1.
func slot(devices object.VirtualDeviceList, device *types.VirtualDevice) string {
	kind, bus, unit := "Controller", int32(0), int32(0)
	if controller := devices.FindByKey(device.ControllerKey); controller != nil {
		kind = strings.TrimPrefix(fmt.Sprintf("%T", controller), "*types.")
		if c, ok := controller.(types.BaseVirtualController); ok {
			bus = c.GetVirtualController().BusNumber
		}
	}
	if device.UnitNumber != nil {
		unit = *device.UnitNumber
	}
	return fmt.Sprintf("%s%d:%d", kind, bus, unit)
}

// live makes a lease ready and ends it when nobody tells of progress.
func (l *lease) live(info *types.HttpNfcLeaseInfo) {
	time.Sleep(30 * time.Millisecond)
	l.change(types.PropertyChange{Name: "initializeProgress", Val: int32(100)},
		types.PropertyChange{Name: "info", Val: info}, types.PropertyChange{Name: "state", Val: types.HttpNfcLeaseStateReady})
	l.world.log.write(entry{Kind: "lease", Method: "ready", This: l.Self.Value})
	for range time.Tick(50 * time.Millisecond) {
		l.mu.Lock()
		over, told := l.over, l.told
		l.mu.Unlock()
		if over {
			return
		}
		if limit := l.world.leaseLimit(); time.Since(told) > limit {
			l.end("expired", &types.LocalizedMethodFault{
				Fault: new(types.Timedout), LocalizedMessage: fmt.Sprintf("no progress within %s", limit),
			})
			return
		}
	}
}

func (l *lease) change(changes ...types.PropertyChange) {
	ctx := *l.world.model.Service.Context
	ctx.WithLock(l, func() { ctx.Update(l, changes) })
}

// end takes the lease's URLs away.
func (l *lease) end(how string, fault *types.LocalizedMethodFault) bool {
	l.mu.Lock()
	was := l.over
	l.over = true
	l.mu.Unlock()
	if was {
		return false
	}
	state := types.PropertyChange{Name: "state", Val: types.HttpNfcLeaseStateDone}
	if fault != nil {
		state.Val = types.HttpNfcLeaseStateError
		l.change(state, types.PropertyChange{Name: "error", Val: fault})
	} else {
		l.change(state)
	}
	l.world.log.write(entry{Kind: "lease", Method: how, This: l.Self.Value})
	return true
}

func (l *lease) going() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return errOver
	}
	return nil
}

func invalid() *soap.Fault {
	return simulator.Fault("The lease is over", new(types.InvalidState))
}

// HttpNfcLeaseComplete is called by whoever has all bytes.
func (l *lease) HttpNfcLeaseComplete(_ *simulator.Context, _ *types.HttpNfcLeaseComplete) soap.HasFault {
	if l.going() != nil {
		return &methods.HttpNfcLeaseCompleteBody{Fault_: invalid()}
	}
	go l.end("complete", nil)
	l.settle()
	return &methods.HttpNfcLeaseCompleteBody{Res: new(types.HttpNfcLeaseCompleteResponse)}
}

// HttpNfcLeaseAbort ends a lease before all bytes were fetched.
func (l *lease) HttpNfcLeaseAbort(_ *simulator.Context, req *types.HttpNfcLeaseAbort) soap.HasFault {
	if l.going() != nil {
		return &methods.HttpNfcLeaseAbortBody{Fault_: invalid()}
	}
	fault := req.Fault
	if fault == nil {
		fault = &types.LocalizedMethodFault{Fault: new(types.RequestCanceled), LocalizedMessage: "aborted"}
	}
	go l.end("abort", fault)
	l.settle()
	return &methods.HttpNfcLeaseAbortBody{Res: new(types.HttpNfcLeaseAbortResponse)}
}

// settle waits until the URLs are gone: the caller may look at once. The object's lock is held here.
func (l *lease) settle() {
	for l.going() == nil {
		time.Sleep(time.Millisecond)
	}
}

// HttpNfcLeaseProgress keeps the lease alive.
func (l *lease) HttpNfcLeaseProgress(_ *simulator.Context, req *types.HttpNfcLeaseProgress) soap.HasFault {
	if l.going() != nil {
		return &methods.HttpNfcLeaseProgressBody{Fault_: invalid()}
	}
	l.mu.Lock()
	l.told = time.Now()
	l.mu.Unlock()
	l.TransferProgress = req.Percent
	return &methods.HttpNfcLeaseProgressBody{Res: new(types.HttpNfcLeaseProgressResponse)}
}

// HttpNfcLeaseGetManifest tells of every file that went out whole.
func (l *lease) HttpNfcLeaseGetManifest(_ *simulator.Context, _ *types.HttpNfcLeaseGetManifest) soap.HasFault {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &methods.HttpNfcLeaseGetManifestBody{Res: &types.HttpNfcLeaseGetManifestResponse{Returnval: l.sent}}
}

// nfc serves the files of leases. As hosts do, it knows nothing of ranges and says no length.
func (w *world) nfc(answer http.ResponseWriter, request *http.Request) {
	parts := strings.Split(strings.TrimPrefix(request.URL.Path, "/nfc/"), "/")
	w.mu.Lock()
	found := w.leases[parts[0]]
	w.mu.Unlock()
	if found == nil || len(parts) != 2 || found.going() != nil {
		http.NotFound(answer, request)
		return
	}
	file, ok := found.files[parts[1]]
	if !ok {
		http.NotFound(answer, request)
		return
	}
	if request.Method != http.MethodGet && request.Method != http.MethodHead {
		answer.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	source, err := os.Open(file.name)
	if err != nil {
		http.Error(answer, "its bytes are not in a flat file", http.StatusInternalServerError)
		return
	}
	defer source.Close()
	answer.Header().Set("Content-Type", "application/x-vnd.vmware-streamVmdk")
	answer.WriteHeader(http.StatusOK)
	if request.Method == http.MethodHead {
		return
	}
	sum, count := sha1.New(), new(counter)
	buffer := bufio.NewWriterSize(io.MultiWriter(answer, sum, count), 1<<18)
	if file.disk {
		err = optimized(buffer, source, file.size, found.going)
	} else {
		_, err = io.Copy(buffer, source)
	}
	if err == nil {
		err = buffer.Flush()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the connection breaks; a well-formed end would be a lie
	}
	found.mu.Lock()
	defer found.mu.Unlock()
	found.sent = append(found.sent, types.HttpNfcLeaseManifestEntry{
		Key: file.key, Sha1: hex.EncodeToString(sum.Sum(nil)), Size: count.bytes, Disk: file.disk,
	})
}

type counter struct{ bytes int64 }

func (c *counter) Write(data []byte) (int, error) {
	c.bytes += int64(len(data))
	return len(data), nil
}
