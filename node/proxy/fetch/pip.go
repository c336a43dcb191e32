package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const publicIndex = "https://pypi.org/simple"

// places is where pip would look.
type places struct {
	indexes []string
	links   []string // directories of wheels
	cert    string   // file of authorities
}

// pipPlaces reads pip's configuration as pip does: files, the later ones stronger, then the environment.
func pipPlaces(environ []string) places {
	env := map[string]string{}
	for _, v := range environ {
		key, value, _ := strings.Cut(v, "=")
		env[key] = value
	}
	set := map[string]string{}
	for _, file := range pipFiles(env) {
		text, err := os.ReadFile(file)
		if err == nil {
			pipFile(string(text), set)
		}
	}
	for key, value := range env {
		if name, ok := strings.CutPrefix(key, "PIP_"); ok && value != "" {
			set[strings.ToLower(strings.ReplaceAll(name, "_", "-"))] = value
		}
	}
	p := places{cert: set["cert"], links: strings.Fields(set["find-links"])}
	if no := set["no-index"]; no != "" && no != "0" && no != "false" {
		return p
	}
	if p.indexes = strings.Fields(set["index-url"]); len(p.indexes) == 0 {
		p.indexes = []string{publicIndex}
	}
	p.indexes = append(p.indexes, strings.Fields(set["extra-index-url"])...)
	return p
}

func pipFiles(env map[string]string) []string {
	if env["PIP_CONFIG_FILE"] == os.DevNull {
		return nil
	}
	files := []string{"/etc/xdg/pip/pip.conf", "/etc/pip.conf"}
	if home := env["HOME"]; home != "" {
		conf := env["XDG_CONFIG_HOME"]
		if conf == "" {
			conf = filepath.Join(home, ".config")
		}
		files = append(files, filepath.Join(home, ".pip", "pip.conf"), filepath.Join(conf, "pip", "pip.conf"))
	}
	if venv := env["VIRTUAL_ENV"]; venv != "" {
		files = append(files, filepath.Join(venv, "pip.conf"))
	}
	if f := env["PIP_CONFIG_FILE"]; f != "" {
		files = append(files, f)
	}
	return files
}

// pipFile adds what a configuration file says to set. A value goes on in lines that begin with a space.
func pipFile(text string, set map[string]string) {
	counts, last := false, ""
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
		case trimmed[0] == '[':
			counts, last = trimmed == "[global]" || trimmed == "[download]" || trimmed == "[install]", ""
		case !counts:
		case last != "" && (line[0] == ' ' || line[0] == '\t'):
			set[last] += " " + trimmed
		default:
			key, value, _ := strings.Cut(trimmed, "=")
			last = strings.ReplaceAll(strings.TrimSpace(key), "_", "-")
			set[last] = strings.TrimSpace(value)
		}
	}
}

// client trusts whom pip trusts.
func (p places) client() (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if p.cert != "" {
		pem, err := os.ReadFile(p.cert)
		if err != nil {
			return nil, fmt.Errorf("pip's certificates: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("pip's certificates: %s has none", p.cert)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport}, nil
}
