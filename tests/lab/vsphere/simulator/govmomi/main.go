// SPDX-License-Identifier: Apache-2.0

// govmomi's own client, which the simulator is judged by before ours is pointed at it.
//
//	govmomi <url> <user> <password file> <CA file> <machine> <folder> lease|snapshot|folder
//
// It fetches all files of a machine by that way and prints as JSON what it got.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/nfc"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type got struct {
	File string `json:"file"`
	Key  string `json:"key"`
	URL  string `json:"url"`
	Disk bool   `json:"disk"`
	Sha1 string `json:"sha1"` // what the manifest says
	Size int64  `json:"size"`
}

func main() {
	if len(os.Args) != 8 {
		log.Fatal("usage: govmomi <url> <user> <password file> <CA file> <machine> <folder> lease|snapshot|folder")
	}
	found, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(said []string) ([]got, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	client, err := login(ctx, said[0], said[1], said[2], said[3])
	if err != nil {
		return nil, err
	}
	defer client.Logout(ctx)
	finder := find.NewFinder(client.Client, false)
	dc, err := finder.DefaultDatacenter(ctx)
	if err != nil {
		return nil, err
	}
	vm, err := finder.SetDatacenter(dc).VirtualMachine(ctx, said[4])
	if err != nil {
		return nil, err
	}
	if said[6] == "folder" {
		return download(ctx, finder, vm, said[5])
	}
	lease, err := leaseOf(ctx, vm, said[6])
	if err != nil {
		return nil, err
	}
	return export(ctx, lease, said[5])
}

func login(ctx context.Context, place, user, file, ca string) (*govmomi.Client, error) {
	target, err := url.Parse(place)
	if err != nil {
		return nil, err
	}
	password, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	inner := soap.NewClient(target, false)
	if err := inner.SetRootCAs(ca); err != nil {
		return nil, err
	}
	vim, err := vim25.NewClient(ctx, inner)
	if err != nil {
		return nil, err
	}
	client := &govmomi.Client{Client: vim, SessionManager: session.NewManager(vim)}
	return client, client.Login(ctx, url.UserPassword(user, string(password)))
}

func leaseOf(ctx context.Context, vm *object.VirtualMachine, way string) (*nfc.Lease, error) {
	if way == "lease" {
		return vm.Export(ctx)
	}
	var inner mo.VirtualMachine
	if err := vm.Properties(ctx, vm.Reference(), []string{"snapshot"}, &inner); err != nil {
		return nil, err
	}
	if inner.Snapshot == nil {
		return nil, fmt.Errorf("%s has no snapshot", vm.Name())
	}
	return vm.ExportSnapshot(ctx, inner.Snapshot.CurrentSnapshot)
}

func export(ctx context.Context, lease *nfc.Lease, folder string) ([]got, error) {
	info, err := lease.Wait(ctx, nil)
	if err != nil {
		return nil, err
	}
	updater := lease.StartUpdater(ctx, info)
	defer updater.Done()
	var found []got
	for i, item := range info.Items {
		name := filepath.Base(item.Path)
		if err := lease.DownloadFile(ctx, filepath.Join(folder, name), item, soap.DefaultDownload); err != nil {
			return nil, err
		}
		device := info.DeviceUrl[i]
		found = append(found, got{File: name, Key: device.Key, URL: device.Url, Disk: device.Disk != nil && *device.Disk})
	}
	manifest, err := lease.GetManifest(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range manifest {
		for i := range found {
			if found[i].Key == one.Key {
				found[i].Sha1, found[i].Size = one.Sha1, one.Size
			}
		}
	}
	return found, lease.Complete(ctx)
}

func download(ctx context.Context, finder *find.Finder, vm *object.VirtualMachine, folder string) ([]got, error) {
	devices, err := vm.Device(ctx)
	if err != nil {
		return nil, err
	}
	var found []got
	for _, device := range devices.SelectByType((*types.VirtualDisk)(nil)) {
		backing, ok := device.GetVirtualDevice().Backing.(types.BaseVirtualDeviceFileBackingInfo)
		if !ok {
			continue
		}
		var file object.DatastorePath
		file.FromString(backing.GetVirtualDeviceFileBackingInfo().FileName)
		datastore, err := finder.Datastore(ctx, file.Datastore)
		if err != nil {
			return nil, err
		}
		for _, path := range []string{file.Path, strings.TrimSuffix(file.Path, ".vmdk") + "-flat.vmdk"} {
			name := filepath.Base(path)
			if err := datastore.DownloadFile(ctx, path, filepath.Join(folder, name), nil); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			found = append(found, got{File: name, Disk: true})
		}
	}
	return found, nil
}
