// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// entry is a line of calls.jsonl: a SOAP method, an HTTP request or an event in the life of a lease.
type entry struct {
	At     float64 `json:"at"` // seconds since the epoch, at its beginning
	Kind   string  `json:"kind"`
	Method string  `json:"method"`
	This   string  `json:"this,omitempty"` // the object's id
	Path   string  `json:"path,omitempty"`
	Query  string  `json:"query,omitempty"`
	Range  string  `json:"range,omitempty"`
	User   string  `json:"user"` // empty: nobody had logged in
	Status int     `json:"status,omitempty"`
	Fault  string  `json:"fault,omitempty"`
	Bytes  int64   `json:"bytes,omitempty"` // of the answer
	Second float64 `json:"seconds,omitempty"`
}

// journal is the file of all calls, one line each, written when they are over.
type journal struct {
	mu   sync.Mutex
	file *os.File
}

func (j *journal) write(one entry) {
	if one.At == 0 {
		one.At = seconds(time.Now())
	}
	text, _ := json.Marshal(one)
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = j.file.Write(append(text, '\n'))
}

func seconds(at time.Time) float64 { return float64(at.UnixMicro()) / 1e6 }

// front is what every request passes: it knows sessions, writes the journal and serves files.
type front struct {
	*world
	inner http.Handler
}

var (
	asked   = regexp.MustCompile(`<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)`)
	objects = regexp.MustCompile(`<(?:\w+:)?_this[^>]*>([^<]*)<`)
	who     = regexp.MustCompile(`<(?:\w+:)?userName[^>]*>([^<]*)<`)
	ticket  = regexp.MustCompile(`<id>([^<]*)<`)
	named   = regexp.MustCompile(`<hostName>[^<]*</hostName>`)
	faulty  = regexp.MustCompile(`<Fault[^>]*type="(\w+)"`)
)

func (f *front) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	began := time.Now()
	watch := &watcher{ResponseWriter: answer, status: http.StatusOK}
	one := entry{At: seconds(began), Kind: "http", Method: request.Method, Path: request.URL.Path}
	one.Query, one.Range = request.URL.RawQuery, request.Header.Get("Range")
	defer func() {
		one.Status, one.Bytes, one.Second = watch.status, watch.bytes, time.Since(began).Seconds()
		f.log.write(one)
	}()
	cookie := cookieOf(request, soap.SessionCookieName)
	if !strings.HasPrefix(request.URL.Path, "/sdk") {
		one.User = f.userOf(cookie)
	}
	switch {
	case strings.HasPrefix(request.URL.Path, "/sdk") && request.Method == http.MethodPost:
		f.sdk(watch, request, cookie, &one)
	case strings.HasPrefix(request.URL.Path, "/folder"):
		if f.permitted(request, cookie, &one) {
			f.folder(watch, request)
		} else {
			deny(watch)
		}
	case strings.HasPrefix(request.URL.Path, "/nfc/"):
		if f.said.LeaseAuth && !f.permitted(request, cookie, &one) {
			deny(watch)
		} else {
			f.nfc(watch, request)
		}
	case strings.HasPrefix(request.URL.Path, "/lab/"):
		one.Kind = "lab"
		if f.basic(request) {
			f.control(watch, request)
		} else {
			deny(watch)
		}
	default:
		f.inner.ServeHTTP(watch, request)
	}
}

func deny(answer http.ResponseWriter) {
	answer.Header().Set("WWW-Authenticate", `Basic realm="VMware HTTP server"`)
	http.Error(answer, "401 Unauthorized", http.StatusUnauthorized)
}

func cookieOf(request *http.Request, name string) string {
	if found, err := request.Cookie(name); err == nil {
		return strings.Trim(found.Value, `"`)
	}
	return ""
}

func (f *front) sdk(watch *watcher, request *http.Request, cookie string, one *entry) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		watch.WriteHeader(http.StatusBadRequest)
		return
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	one.Kind, one.Path, one.Query = "soap", "", ""
	one.Method, one.This = first(asked, body), first(objects, body)
	f.mu.Lock()
	one.User = f.users[cookie]
	if cookie != "" {
		f.fronts[cookie] = request.Host
	}
	f.mu.Unlock()
	if one.Method == "AcquireGenericServiceTicket" {
		f.ticket(watch, request, cookie)
		return
	}
	f.inner.ServeHTTP(watch, request)
	if watch.status != http.StatusOK {
		one.Fault = first(faulty, watch.said.Bytes())
		return
	}
	if one.Method == "Login" {
		one.User = first(who, body)
		for _, made := range (&http.Response{Header: watch.Header()}).Cookies() {
			if made.Name == soap.SessionCookieName {
				f.mu.Lock()
				f.users[made.Value] = one.User
				f.mu.Unlock()
			}
		}
	}
}

// ticket remembers a ticket that the simulator gives: it is good for one request within two minutes.
func (f *front) ticket(watch *watcher, request *http.Request, cookie string) {
	kept := httptest.NewRecorder()
	f.inner.ServeHTTP(kept, request)
	text := kept.Body.Bytes()
	f.mu.Lock()
	if id := first(ticket, text); id != "" {
		f.tickets[id] = time.Now().Add(2 * time.Minute)
	}
	f.mu.Unlock()
	host := fmt.Sprintf("<hostName>%s</hostName><sslThumbprint>%s</sslThumbprint>", f.authority(cookie), f.thumbprint)
	text = named.ReplaceAll(text, []byte(host))
	watch.Header().Set("Content-Type", kept.Header().Get("Content-Type"))
	watch.WriteHeader(kept.Code)
	_, _ = watch.Write(text)
}

func first(pattern *regexp.Regexp, text []byte) string {
	if found := pattern.FindSubmatch(text); found != nil {
		return string(found[1])
	}
	return ""
}

// userOf gives the name behind a session's cookie; empty when there is no such session any more.
func (w *world) userOf(cookie string) string {
	w.mu.Lock()
	name := w.users[cookie]
	w.mu.Unlock()
	if name == "" {
		return ""
	}
	var manager mo.SessionManager
	collector := property.DefaultCollector(w.client)
	if err := collector.RetrieveOne(context.Background(), *w.client.ServiceContent.SessionManager, []string{"sessionList"}, &manager); err != nil {
		return ""
	}
	for _, one := range manager.SessionList {
		if one.Key == cookie {
			return name
		}
	}
	return ""
}

// permitted says whether a request may have files: by session, by ticket (once) or with the password.
func (f *front) permitted(request *http.Request, cookie string, one *entry) bool {
	if one.User != "" {
		return true
	}
	if id := cookieOf(request, "vmware_cgi_ticket"); id != "" {
		f.mu.Lock()
		until, ok := f.tickets[id]
		delete(f.tickets, id)
		f.mu.Unlock()
		one.User = "ticket"
		return ok && time.Now().Before(until)
	}
	if f.basic(request) {
		one.User = f.said.User
		return true
	}
	return false
}

func (f *front) basic(request *http.Request) bool {
	user, password, ok := request.BasicAuth()
	return ok && user == f.said.User && subtle.ConstantTimeCompare([]byte(password), []byte(f.password)) == 1
}

// folder serves the files of datastores, with ranges.
func (f *front) folder(answer http.ResponseWriter, request *http.Request) {
	query := request.URL.Query()
	if dc := query.Get("dcPath"); dc != "" && filepath.Base(dc) != filepath.Base(f.dc.InventoryPath) {
		http.NotFound(answer, request)
		return
	}
	var datastore *Datastore
	for i := range f.said.Datastores {
		if f.said.Datastores[i].Name == query.Get("dsName") {
			datastore = &f.said.Datastores[i]
		}
	}
	rest := strings.TrimPrefix(request.URL.Path, "/folder")
	if datastore == nil || strings.Contains(rest, "..") || datastore.Type == "vsan" && strings.HasSuffix(rest, "-flat.vmdk") {
		http.NotFound(answer, request)
		return
	}
	name := filepath.Join(f.place(datastore.Name), filepath.FromSlash(rest))
	switch request.Method {
	case http.MethodGet, http.MethodHead:
		f.send(answer, request, name)
	case http.MethodPut:
		f.receive(answer, request, name)
	default:
		answer.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (f *front) send(answer http.ResponseWriter, request *http.Request, name string) {
	file, err := os.Open(name)
	if err != nil {
		http.NotFound(answer, request)
		return
	}
	defer file.Close()
	state, err := file.Stat()
	if err != nil || state.IsDir() {
		http.FileServer(http.Dir(f.place(request.URL.Query().Get("dsName")))).ServeHTTP(answer, strip(request))
		return
	}
	answer.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(answer, request, "", state.ModTime(), file)
}

func strip(request *http.Request) *http.Request {
	other := request.Clone(request.Context())
	other.URL.Path = "/" + strings.TrimPrefix(strings.TrimPrefix(request.URL.Path, "/folder"), "/")
	return other
}

func (f *front) receive(answer http.ResponseWriter, request *http.Request, name string) {
	if f.restricted("Put") {
		answer.WriteHeader(http.StatusForbidden)
		return
	}
	_ = os.MkdirAll(filepath.Dir(name), 0o700)
	file, err := os.Create(name)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusInternalServerError)
		return
	}
	defer file.Close()
	if _, err := io.Copy(file, request.Body); err != nil {
		return
	}
	answer.WriteHeader(http.StatusCreated)
}

// authority is the host and port by which a session's client came: what stands in front of us is not left out by URLs.
func (w *world) authority(cookie string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	came := w.fronts[cookie]
	if came == "" {
		came = w.listening
	}
	if w.said.Mode == "esxi" {
		if _, port, err := net.SplitHostPort(came); err == nil {
			return "*:" + port // a host does not know its own name
		}
		return "*"
	}
	return came
}

func (w *world) leaseLimit() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.said.LeaseSeconds * float64(time.Second))
}

func (w *world) machine(ref types.ManagedObjectReference) Machine {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known[ref]
}

// watcher notes what is answered.
type watcher struct {
	http.ResponseWriter
	status int
	bytes  int64
	said   bytes.Buffer // of an answer that is no success
}

func (w *watcher) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *watcher) Write(data []byte) (int, error) {
	if w.status >= 400 && w.said.Len() < 1<<14 {
		w.said.Write(data)
	}
	count, err := w.ResponseWriter.Write(data)
	w.bytes += int64(count)
	return count, err
}

// Unwrap lets net/http reach what is below.
func (w *watcher) Unwrap() http.ResponseWriter { return w.ResponseWriter }
