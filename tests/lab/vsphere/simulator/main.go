// SPDX-License-Identifier: Apache-2.0

// The endpoint of the lab's provider vsphere: govmomi's simulator, with the bytes, leases and sessions that it lacks.
//
//	simulator <description.json>
//
// It writes endpoint.json and says "ready <pid>"; until it reads "go" it ends with whoever started it.
package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/esx"
)

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	if len(os.Args) != 2 {
		log.Fatal("usage: simulator <description.json>")
	}
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(name string) error {
	said, err := read(name)
	if err != nil {
		return err
	}
	password, err := os.ReadFile(said.PasswordFile)
	if err != nil {
		return err
	}
	model := modelOf(said)
	if err := model.Create(); err != nil {
		return err
	}
	defer model.Remove()
	certificate, err := secure(said.Folder)
	if err != nil {
		return err
	}
	service := model.Service
	service.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	service.Listen = &url.URL{Host: said.Listen, User: url.UserPassword(said.User, strings.TrimSpace(string(password)))}
	service.RegisterEndpoints = true
	diary, err := os.OpenFile(filepath.Join(said.Folder, "calls.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	world := newWorld(said, model, &journal{file: diary})
	world.password = strings.TrimSpace(string(password))
	world.thumbprint, _ = thumbprints(certificate)
	if err := world.furnish(); err != nil {
		return err
	}
	server := service.NewServer()
	world.listening = server.URL.Host
	server.Config.Handler = &front{world, server.Config.Handler}
	if err := world.publish(server, certificate); err != nil {
		return err
	}
	return stay(said.Folder)
}

func modelOf(said *Description) *simulator.Model {
	model := simulator.VPX()
	if said.Mode == "esxi" {
		model = simulator.ESX()
	} else {
		model.Cluster, model.Host = 0, said.Hosts
	}
	model.Machine, model.Datastore = 0, 0
	about := &model.ServiceContent.About
	about.ApiVersion = said.APIVersion
	about.Version = strings.TrimSuffix(said.APIVersion, ".0")
	about.FullName = fmt.Sprintf("%s %s build-%s", about.Name, about.Version, about.Build)
	if said.Mode == "esxi" && said.HostName != "" {
		esx.HostSystem.Name = said.HostName
		esx.HostSystem.Summary.Config.Name = said.HostName
	}
	return model
}

// publish writes where the endpoint is; the file is there as soon as it is whole.
func (w *world) publish(server *simulator.Server, certificate tls.Certificate) error {
	short, long := thumbprints(certificate)
	place := *server.URL
	place.User = nil
	text, err := json.MarshalIndent(map[string]any{
		"url": place.String(), "thumbprint_sha1": short, "thumbprint_sha256": long, "machines": w.moids,
	}, "", " ")
	if err != nil {
		return err
	}
	target := filepath.Join(w.said.Folder, "endpoint.json")
	if err := os.WriteFile(target+".partial", text, 0o600); err != nil {
		return err
	}
	return os.Rename(target+".partial", target)
}

// stay says that all is ready and waits for the word, then for its end.
func stay(folder string) error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	fmt.Printf("ready %d\n", os.Getpid())
	word, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	if strings.TrimSpace(word) != "go" {
		return nil // whoever started us is gone, and nobody wrote down that we are here
	}
	diary, err := os.OpenFile(filepath.Join(folder, "simulator.log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	for number := range 3 {
		if err := syscall.Dup3(int(diary.Fd()), number, 0); err != nil {
			return err
		}
	}
	<-ended
	return nil
}
