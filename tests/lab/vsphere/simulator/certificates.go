// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// authority is the lane's own CA; its key is never written.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	form := form("CA of a lane")
	form.IsCA, form.BasicConstraintsValid = true, true
	form.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &authority{certificate, key}, err
}

func form(name string) *x509.Certificate {
	number, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	return &x509.Certificate{
		SerialNumber: number,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(7 * 24 * time.Hour),
	}
}

// issue makes a certificate for this machine's loopback; chain and key as PEM.
func (a *authority) issue(name string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	form := form(name)
	form.DNSNames = []string{"localhost"}
	form.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	form.KeyUsage = x509.KeyUsageDigitalSignature
	form.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, form, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	_ = pem.Encode(&text, &pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	return text.Bytes(), nil
}

// secure writes ca.pem and proxy.pem (a certificate with its key, for what stands in front) and gives the server's own.
func secure(folder string) (tls.Certificate, error) {
	var none tls.Certificate
	ca, err := newAuthority()
	if err != nil {
		return none, err
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.certificate.Raw})
	if err := os.WriteFile(filepath.Join(folder, "ca.pem"), public, 0o600); err != nil {
		return none, err
	}
	front, err := ca.issue("proxy")
	if err != nil {
		return none, err
	}
	if err := os.WriteFile(filepath.Join(folder, "proxy.pem"), front, 0o600); err != nil {
		return none, err
	}
	own, err := ca.issue("simulator")
	if err != nil {
		return none, err
	}
	return tls.X509KeyPair(own, own)
}

// thumbprints gives SHA-1 and SHA-256 of a certificate, as vSphere writes them.
func thumbprints(certificate tls.Certificate) (string, string) {
	short := sha1.Sum(certificate.Certificate[0])
	long := sha256.Sum256(certificate.Certificate[0])
	return colons(short[:]), colons(long[:])
}

func colons(sum []byte) string {
	parts := make([]string, len(sum))
	for i, one := range sum {
		parts[i] = fmt.Sprintf("%02X", one)
	}
	return strings.Join(parts, ":")
}
