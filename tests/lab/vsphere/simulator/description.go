// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// Description is what a simulator is told at its start: one JSON file, which holds no secret.
type Description struct {
	Mode         string      `json:"mode"`          // esxi or vcenter
	Folder       string      `json:"folder"`        // everything it writes is below
	Listen       string      `json:"listen"`        // loopback address; port 0: any
	User         string      `json:"user"`          // who may log in
	PasswordFile string      `json:"password_file"` // mode 0600
	APIVersion   string      `json:"api_version"`
	HostName     string      `json:"host_name"` // of a lone ESXi
	Hosts        int         `json:"hosts"`     // of a vCenter
	Datastores   []Datastore `json:"datastores"`
	Networks     []Network   `json:"networks"` // besides "VM Network"
	Machines     []Machine   `json:"machines"`
	LeaseSeconds float64     `json:"lease_seconds"` // without a word of progress a lease ends
	LeaseAuth    bool        `json:"lease_auth"`    // lease URLs want the session's cookie
	Licence      string      `json:"licence"`       // free: every method that writes answers RestrictedVersion
}

// Datastore is a folder with the name of a datastore.
type Datastore struct {
	Name string `json:"name"`
	Type string `json:"type"` // as the API says it: VMFS, NFS, vsan, OTHER
}

// Network is a port group of a standard switch.
type Network struct {
	Name string `json:"name"`
	VLAN int32  `json:"vlan"`
}

// Machine is a virtual machine as it is described.
type Machine struct {
	Name         string            `json:"name"`
	Host         int               `json:"host"` // of a vCenter: which one, from 0
	Datastore    string            `json:"datastore"`
	UUID         string            `json:"uuid"`
	BiosUUID     string            `json:"bios_uuid"`
	GuestID      string            `json:"guest_id"`
	Firmware     string            `json:"firmware"`
	SecureBoot   bool              `json:"secure_boot"`
	TPM          bool              `json:"vtpm"`
	Encrypted    bool              `json:"encrypted"`
	Hardware     string            `json:"hardware_version"`
	CPUs         int32             `json:"cpus"`
	Cores        int32             `json:"cores_per_socket"`
	MemoryMB     int64             `json:"memory_mb"`
	Power        string            `json:"power"` // on, off, suspended
	Tools        string            `json:"tools"` // running, installed, none
	HostName     string            `json:"guest_host_name"`
	CBT          bool              `json:"cbt"`
	Disks        []Disk            `json:"disks"`
	Nics         []Nic             `json:"nics"`
	CDROM        string            `json:"cdrom"` // path on a datastore
	Devices      []string          `json:"devices"`
	Snapshots    []Snapshot        `json:"snapshots"`
	BootOrder    []string          `json:"boot_order"` // disk:<key>, nic:<key>, cdrom
	Autostart    int32             `json:"autostart"`  // place in the order; 0: none
	Shutdown     string            `json:"shutdown"`   // obey, ignore
	ShutdownTime float64           `json:"shutdown_seconds"`
	Annotation   string            `json:"annotation"`
	Extra        map[string]string `json:"extra"`
}

// Disk is a virtual disk and where its bytes come from.
type Disk struct {
	Size       int64    `json:"size"` // bytes, whole sectors
	Key        int32    `json:"key"`
	Label      string   `json:"label"`
	Controller string   `json:"controller"`
	Bus        int32    `json:"bus"`
	Unit       *int32   `json:"unit"`
	Datastore  string   `json:"datastore"`
	Path       string   `json:"path"`   // below the datastore
	Source     string   `json:"source"` // a raw file of this machine whose bytes it gets; otherwise zeroes
	Link       bool     `json:"link"`   // the source itself, not a copy
	Thin       bool     `json:"thin"`
	Mode       string   `json:"mode"`
	Sharing    string   `json:"sharing"`
	Backing    string   `json:"backing"` // flat, sesparse, rdm-virtual, rdm-physical
	Chain      []string `json:"chain"`   // the files below it, nearest first: "[datastore] path"
	UUID       string   `json:"uuid"`
}

// Nic is a network card.
type Nic struct {
	Key            int32    `json:"key"`
	Model          string   `json:"model"`
	Network        string   `json:"network"`
	MAC            string   `json:"mac"`
	Disconnected   bool     `json:"disconnected"`
	NoStartConnect bool     `json:"no_start_connect"`
	IPs            []string `json:"ips"`
}

// Snapshot is a snapshot with those made after it.
type Snapshot struct {
	Name     string     `json:"name"`
	Children []Snapshot `json:"children"`
}

// read takes a description from a file.
func read(name string) (*Description, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	found := &Description{Listen: "127.0.0.1:0", APIVersion: "8.0.3.0", Hosts: 1, LeaseSeconds: 300, LeaseAuth: true}
	if err := json.Unmarshal(text, found); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if found.Mode != "esxi" && found.Mode != "vcenter" {
		return nil, fmt.Errorf("%s: the mode %q is neither esxi nor vcenter", name, found.Mode)
	}
	if len(found.Datastores) == 0 {
		found.Datastores = []Datastore{{Name: "datastore1"}}
	}
	return found, nil
}
