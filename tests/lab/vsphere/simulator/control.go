// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strings"

	"github.com/vmware/govmomi/event"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// control is for tests alone, with the password: what no vSphere has, below /lab/.
func (f *front) control(answer http.ResponseWriter, request *http.Request) {
	ctx := context.Background()
	var found any
	var err error
	switch request.Method + " " + strings.TrimPrefix(request.URL.Path, "/lab/") {
	case "GET events":
		found, err = f.events(ctx)
	case "GET state":
		found = f.state()
	case "POST sessions/drop":
		found, err = f.drop(ctx)
	case "POST settings":
		err = f.settings(request)
	default:
		http.NotFound(answer, request)
		return
	}
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	answer.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(answer).Encode(found)
}

func (w *world) events(ctx context.Context) (any, error) {
	collector, err := event.NewManager(w.client).CreateCollectorForEvents(ctx, types.EventFilterSpec{})
	if err != nil {
		return nil, err
	}
	defer collector.Destroy(ctx)
	if err := collector.Rewind(ctx); err != nil {
		return nil, err
	}
	found, err := collector.ReadNextEvents(ctx, 1000) // it keeps no more
	if err != nil {
		return nil, err
	}
	lines := []map[string]any{}
	for _, one := range found {
		inner := one.GetEvent()
		line := map[string]any{
			"at": seconds(inner.CreatedTime), "event": strings.TrimPrefix(fmt.Sprintf("%T", one), "*types."), "user": inner.UserName,
		}
		if inner.Vm != nil {
			line["machine"] = inner.Vm.Name
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// state tells how machines stand: what a rollback has to bring back.
func (w *world) state() any {
	starts := map[types.ManagedObjectReference]int32{}
	for _, host := range w.hosts {
		ref := types.ManagedObjectReference{Type: "HostAutoStartManager", Value: "autostart-" + host.Reference().Value}
		for _, one := range w.model.Map().Get(ref).(*autostart).Config.PowerInfo {
			starts[one.Key] = one.StartOrder
		}
	}
	found := map[string]any{}
	ctx := *w.model.Service.Context
	for ref := range w.known {
		vm, ok := w.model.Map().Get(ref).(*simulator.VirtualMachine)
		if !ok {
			continue
		}
		ctx.WithLock(vm, func() {
			cards_ := []map[string]any{}
			for _, card := range cards(vm) {
				cards_ = append(cards_, map[string]any{
					"key": card.Key, "connected": card.Connectable.Connected, "start_connected": card.Connectable.StartConnected,
				})
			}
			sort.Slice(cards_, func(a, b int) bool { return cards_[a]["key"].(int32) < cards_[b]["key"].(int32) })
			snapshots := []string{}
			if vm.Snapshot != nil {
				snapshots = names(vm.Snapshot.RootSnapshotList)
			}
			found[vm.Name] = map[string]any{
				"moid": ref.Value, "power": vm.Runtime.PowerState, "nics": cards_, "snapshots": snapshots, "autostart": starts[ref],
			}
		})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	open := []string{}
	for name, one := range w.leases {
		if one.going() == nil {
			open = append(open, name)
		}
	}
	sort.Strings(open)
	return map[string]any{"machines": found, "leases": open}
}

func names(tree []types.VirtualMachineSnapshotTree) []string {
	found := []string{}
	for _, one := range tree {
		found = append(append(found, one.Name), names(one.ChildSnapshotList)...)
	}
	return found
}

// drop ends all sessions, as a restart of the host's agent does.
func (w *world) drop(ctx context.Context) (any, error) {
	var manager mo.SessionManager
	ref := *w.client.ServiceContent.SessionManager
	if err := property.DefaultCollector(w.client).RetrieveOne(ctx, ref, []string{"sessionList"}, &manager); err != nil {
		return nil, err
	}
	ended := []string{}
	for _, one := range manager.SessionList {
		ended = append(ended, one.Key)
	}
	_, err := methods.TerminateSession(ctx, w.client, &types.TerminateSession{This: ref, SessionId: ended})
	return len(ended), err
}

// settings changes what a description said.
func (w *world) settings(request *http.Request) error {
	said := struct {
		Machine      string   `json:"machine"`
		Shutdown     *string  `json:"shutdown"`
		ShutdownTime *float64 `json:"shutdown_seconds"`
		Tools        *string  `json:"tools"`
		Licence      *string  `json:"licence"`
		LeaseSeconds *float64 `json:"lease_seconds"`
		LeaseAuth    *bool    `json:"lease_auth"`
	}{}
	reader := json.NewDecoder(request.Body)
	reader.DisallowUnknownFields()
	if err := reader.Decode(&said); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	set(&w.said.Licence, said.Licence)
	set(&w.said.LeaseSeconds, said.LeaseSeconds)
	set(&w.said.LeaseAuth, said.LeaseAuth)
	hit := said.Machine == ""
	for ref, one := range w.known {
		if said.Machine != "" && one.Name != said.Machine {
			continue
		}
		set(&one.Shutdown, said.Shutdown)
		set(&one.ShutdownTime, said.ShutdownTime)
		set(&one.Tools, said.Tools)
		w.known[ref] = one
		hit = true
	}
	if !hit {
		return fmt.Errorf("there is no machine %q", said.Machine)
	}
	return nil
}

func set[T any](target *T, said *T) {
	if said != nil {
		*target = *said
	}
}
