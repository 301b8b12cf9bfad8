// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	sector   = 512
	seekData = 3 // lseek(2): the next place with data
	seekHole = 4
)

// name is the disk's file as the API writes it.
func (d Disk) name() string { return fmt.Sprintf("[%s] %s", d.Datastore, d.Path) }

// flatOf gives the file that holds the bytes of a descriptor's disk.
func flatOf(descriptor string) string { return strings.TrimSuffix(descriptor, ".vmdk") + "-flat.vmdk" }

// provision makes a disk's two files: the descriptor and the bytes. What is there stays, so a start again changes nothing.
func (w *world) provision(said Disk) error {
	for _, one := range said.Chain {
		if _, err := os.Stat(w.local(one)); err != nil {
			return err
		}
	}
	name := w.local(said.name())
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	if len(said.Chain) > 0 {
		return fmt.Errorf("%s stands on others: put its files there first", said.name())
	}
	if err := fill(flatOf(name), said); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(descriptor(said)), 0o600)
}

// local gives the file of "[datastore] path".
func (w *world) local(name string) string {
	datastore, rest, _ := strings.Cut(strings.TrimPrefix(name, "["), "] ")
	return filepath.Join(w.place(datastore), rest)
}

// descriptor is the text beside a flat file, as ESXi writes it.
func descriptor(said Disk) string {
	var raw [16]byte
	_, _ = rand.Read(raw[:])
	adapter := map[string]string{"ide": "ide", "buslogic": "buslogic"}[said.Controller]
	lines := []string{
		"# Disk DescriptorFile", "version=1", `encoding="UTF-8"`,
		fmt.Sprintf("CID=%08x", binary.BigEndian.Uint32(raw[:4])&^1), "parentCID=ffffffff", `createType="vmfs"`, "",
		"# Extent description",
		fmt.Sprintf(`RW %d VMFS "%s"`, said.Size/sector, filepath.Base(flatOf(said.Path))), "",
		"# The Disk Data Base", "#DDB", "",
		fmt.Sprintf(`ddb.adapterType = "%s"`, or(adapter, "lsilogic")),
		fmt.Sprintf(`ddb.geometry.cylinders = "%d"`, max(said.Size/sector/255/63, 1)),
		`ddb.geometry.heads = "255"`, `ddb.geometry.sectors = "63"`,
		fmt.Sprintf(`ddb.longContentID = "%x"`, raw), `ddb.virtualHWVersion = "19"`,
	}
	if said.Thin {
		lines = append(lines, `ddb.thinProvisioned = "1"`)
	}
	return strings.Join(lines, "\n") + "\n"
}

// fill makes the file with the bytes; holes stay holes, and zeroes become some in a thin disk.
func fill(name string, said Disk) error {
	if said.Source != "" && said.Link {
		return os.Symlink(said.Source, name)
	}
	target, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer target.Close()
	if err := target.Truncate(said.Size); err != nil || said.Source == "" {
		return err
	}
	source, err := os.Open(said.Source)
	if err != nil {
		return err
	}
	defer source.Close()
	buffer, zeroes := make([]byte, grain), make([]byte, grain)
	return stretches(source, said.Size, func(offset, length int64) error {
		for end := offset + length; offset < end; offset += grain {
			data := buffer[:min(grain, end-offset)]
			if _, err := source.ReadAt(data, offset); err != nil {
				return err
			}
			if said.Thin && bytes.Equal(data, zeroes[:len(data)]) {
				continue
			}
			if _, err := target.WriteAt(data, offset); err != nil {
				return err
			}
		}
		return nil
	})
}

// taken counts the bytes of a file that are data. Blocks of stat(2) would not do: a file system books its own later.
func taken(name string) int64 {
	file, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer file.Close()
	state, err := file.Stat()
	if err != nil {
		return 0
	}
	total := int64(0)
	_ = stretches(file, state.Size(), func(_, length int64) error {
		total += length
		return nil
	})
	return total
}

// stretches calls for every part of a file that holds data.
func stretches(file *os.File, size int64, each func(offset, length int64) error) error {
	for at := int64(0); at < size; {
		begin, err := file.Seek(at, seekData)
		if errors.Is(err, syscall.ENXIO) {
			return nil // nothing but a hole is left
		} else if err != nil {
			return err
		}
		end, err := file.Seek(begin, seekHole)
		if err != nil {
			return err
		}
		if end = min(end, size); begin >= end {
			return nil
		}
		if err := each(begin, end-begin); err != nil {
			return err
		}
		at = end
	}
	return nil
}
