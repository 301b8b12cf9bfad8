// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
)

// The format is that of VMware's "Virtual Disk Format 5.0", chapter "Stream-Optimized Compressed Sparse Extents".
const (
	grain     = 64 << 10 // bytes
	perTable  = 512      // grains of a grain table
	overhead  = 128      // sectors before the first grain
	markEnd   = 0
	markTable = 1
	markDir   = 2
	markFoot  = 3
)

// header is the sparse extent's, little-endian and without gaps.
type header struct {
	Magic, Version, Flags                         uint32
	Capacity, Grain, DescriptorAt, DescriptorSize uint64
	PerTable                                      uint32
	RedundantAt, DirectoryAt, Overhead            uint64
	Unclean                                       uint8
	SingleEnd, NonEnd, FirstOfTwo, SecondOfTwo    byte
	Compression                                   uint16
	_                                             [433]byte
}

// stream writes a disk front to back; what is all zeroes is left out.
type stream struct {
	out    io.Writer
	at     uint64 // sectors written
	pack   *zlib.Writer
	packed bytes.Buffer
	tables []uint32 // where each grain table is
	table  [perTable]uint32
	used   bool
	number int64 // of the grain table that is being filled
}

func newStream(out io.Writer, size int64) (*stream, error) {
	s := &stream{out: out}
	var err error
	if s.pack, err = zlib.NewWriterLevel(&s.packed, zlib.BestSpeed); err != nil {
		return nil, err
	}
	s.tables = make([]uint32, (size+grain*perTable-1)/(grain*perTable))
	head := s.head(size, ^uint64(0))
	text := []string{
		"# Disk DescriptorFile", "version=1", "CID=fffffffe", "parentCID=ffffffff", `createType="streamOptimized"`, "",
		"# Extent description", fmt.Sprintf(`RW %d SPARSE "call-me-stream.vmdk"`, size/sector), "",
		"# The Disk Data Base", "#DDB", "", `ddb.adapterType = "lsilogic"`, `ddb.virtualHWVersion = "19"`, "",
	}
	if err := s.write(head); err != nil {
		return nil, err
	}
	return s, s.write(padded([]byte(strings.Join(text, "\n")), (overhead-1)*sector))
}

func (s *stream) head(size int64, directory uint64) []byte {
	var text bytes.Buffer
	_ = binary.Write(&text, binary.LittleEndian, header{
		Magic: 0x564d444b, Version: 3, Flags: 0x30001, Capacity: uint64(size / sector), Grain: grain / sector,
		DescriptorAt: 1, DescriptorSize: 20, PerTable: perTable, DirectoryAt: directory, Overhead: overhead,
		SingleEnd: '\n', NonEnd: ' ', FirstOfTwo: '\r', SecondOfTwo: '\n', Compression: 1,
	})
	return text.Bytes()
}

func padded(data []byte, to int) []byte {
	return append(data, make([]byte, (to-len(data)%to)%to)...)
}

func (s *stream) write(data []byte) error {
	s.at += uint64(len(data) / sector)
	_, err := s.out.Write(data)
	return err
}

// grain writes one of them; `number` grows from call to call.
func (s *stream) grain(number int64, data []byte) error {
	for s.number < number/perTable {
		if err := s.closeTable(); err != nil {
			return err
		}
	}
	s.packed.Reset()
	s.packed.Write(make([]byte, 12))
	s.pack.Reset(&s.packed)
	if _, err := s.pack.Write(data); err != nil {
		return err
	}
	if err := s.pack.Close(); err != nil {
		return err
	}
	whole := s.packed.Bytes()
	binary.LittleEndian.PutUint64(whole, uint64(number*grain/sector))
	binary.LittleEndian.PutUint32(whole[8:], uint32(len(whole)-12))
	s.table[number%perTable], s.used = uint32(s.at), true
	return s.write(padded(whole, sector))
}

func (s *stream) mark(kind uint32, data []byte) error {
	mark := make([]byte, sector)
	binary.LittleEndian.PutUint64(mark, uint64(len(data)/sector))
	binary.LittleEndian.PutUint32(mark[12:], kind)
	if err := s.write(mark); err != nil {
		return err
	}
	return s.write(data)
}

func (s *stream) closeTable() error {
	if s.used {
		var text bytes.Buffer
		_ = binary.Write(&text, binary.LittleEndian, s.table)
		s.tables[s.number] = uint32(s.at) + 1
		if err := s.mark(markTable, text.Bytes()); err != nil {
			return err
		}
		s.table, s.used = [perTable]uint32{}, false
	}
	s.number++
	return nil
}

func (s *stream) close(size int64) error {
	if err := s.closeTable(); err != nil {
		return err
	}
	var text bytes.Buffer
	_ = binary.Write(&text, binary.LittleEndian, s.tables)
	directory := s.at + 1
	if err := s.mark(markDir, padded(text.Bytes(), sector)); err != nil {
		return err
	}
	if err := s.mark(markFoot, s.head(size, directory)); err != nil {
		return err
	}
	return s.mark(markEnd, nil)
}

// optimized sends a flat file as a streamOptimized disk; `going` is asked before each grain.
func optimized(out io.Writer, file *os.File, size int64, going func() error) error {
	s, err := newStream(out, size)
	if err != nil {
		return err
	}
	data, none := make([]byte, grain), make([]byte, grain)
	last := int64(-1)
	err = stretches(file, size, func(offset, length int64) error {
		for number := max(offset/grain, last+1); number*grain < offset+length; number++ {
			last = number
			if err := going(); err != nil {
				return err
			}
			clear(data)
			if _, err := file.ReadAt(data, number*grain); err != nil && err != io.EOF {
				return err
			}
			if bytes.Equal(data, none) {
				continue
			}
			if err := s.grain(number, data); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.close(size)
}
