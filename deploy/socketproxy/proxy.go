package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The labels that every task's container bears.
const (
	labelKind    = "launchlake"
	labelNetwork = "launchlake.network"
	kindTask     = "task"
)

// errDenied matches every error of a request that is not let through.
var errDenied = errors.New("not allowed")

func denied(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDenied, fmt.Sprintf(format, args...))
}

// rule lets requests of a method and path through if check, where there is one, finds nothing wrong.
type rule struct {
	method string
	path   *regexp.Regexp // without the API version; the first group is a container
	check  func(p *proxy, r *http.Request, container string) error
}

func allow(method, path string, check func(*proxy, *http.Request, string) error) rule {
	return rule{method, regexp.MustCompile(`^(?:/v1\.[0-9]{1,2})?` + path + `$`), check}
}

const container = `/containers/([a-zA-Z0-9][a-zA-Z0-9_.-]*)`

var rules = []rule{
	allow(http.MethodGet, `/_ping`, nil),
	allow(http.MethodHead, `/_ping`, nil),
	allow(http.MethodGet, `/version`, nil),
	allow(http.MethodPost, `/images/create`, (*proxy).checkPull),
	allow(http.MethodGet, `/containers/json`, (*proxy).checkList),
	allow(http.MethodPost, `/containers/create`, (*proxy).checkCreate),
	allow(http.MethodGet, container+`/json`, (*proxy).checkOwn),
	allow(http.MethodGet, container+`/logs`, (*proxy).checkOwn),
	allow(http.MethodPost, container+`/(?:start|stop)`, (*proxy).checkOwn),
	allow(http.MethodDelete, container, (*proxy).checkOwn),
}

// proxy is the handler.
type proxy struct {
	config config
	log    *slog.Logger
	engine http.RoundTripper
	next   *httputil.ReverseProxy
}

func newProxy(c config, log *slog.Logger) *proxy {
	engine := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", c.Socket)
		},
	}
	return &proxy{
		config: c,
		log:    log,
		engine: engine,
		next: &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.Out.URL.Scheme, r.Out.URL.Host = "http", "docker"
				r.Out.Header.Del("Upgrade")
			},
			Transport: engine,
		},
	}
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := p.check(r); err != nil {
		status := http.StatusBadGateway
		if errors.Is(err, errDenied) {
			status = http.StatusForbidden
		}
		p.log.Warn("refused", "method", r.Method, "path", r.URL.Path, "reason", err.Error())
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": "socketproxy: " + err.Error()})
		return
	}
	p.next.ServeHTTP(w, r)
}

func (p *proxy) check(r *http.Request) error {
	for _, rule := range rules {
		match := rule.path.FindStringSubmatch(r.URL.EscapedPath())
		if rule.method != r.Method || match == nil {
			continue
		}
		if rule.check == nil {
			return nil
		}
		return rule.check(p, r, match[len(match)-1])
	}
	return denied("%s %s", r.Method, r.URL.Path)
}

func (p *proxy) checkPull(r *http.Request, _ string) error {
	query := r.URL.Query()
	if !p.config.Pull || !p.isTaskImage(query.Get("fromImage")) || query.Has("fromSrc") {
		return denied("pull of %q", query.Get("fromImage"))
	}
	return nil
}

// checkList lets only the tasks' own containers be listed.
func (p *proxy) checkList(r *http.Request, _ string) error {
	var filters map[string]any
	if err := json.Unmarshal([]byte(r.URL.Query().Get("filters")), &filters); err != nil {
		return denied("a list of containers without a filter of labels")
	}
	var labels []string
	switch given := filters["label"].(type) {
	case []any:
		for _, label := range given {
			labels = append(labels, fmt.Sprint(label))
		}
	case map[string]any:
		for label := range given {
			labels = append(labels, label)
		}
	}
	for _, want := range []string{labelKind + "=" + kindTask, labelNetwork + "=" + p.config.Network} {
		if !slices.Contains(labels, want) {
			return denied("a list of containers without the label %s", want)
		}
	}
	return nil
}

// createLimit is far above what a task's container takes.
const createLimit = 1 << 20

// checkCreate passes on the body as it was understood here, so that the engine cannot understand it otherwise.
func (p *proxy) checkCreate(r *http.Request, _ string) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, createLimit+1))
	if err != nil || len(body) > createLimit {
		return denied("a body of more than %d bytes, or broken off: %v", createLimit, err)
	}
	var spec map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&spec); err != nil {
		return denied("a body that is no JSON object: %v", err)
	}
	if err := p.config.checkContainer(spec); err != nil {
		return err
	}
	body, err = json.Marshal(spec)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// checkOwn refuses a container that is none of this deployment's tasks.
func (p *proxy) checkOwn(r *http.Request, id string) error {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://docker/containers/"+id+"/json", nil)
	if err != nil {
		return err
	}
	response, err := p.engine.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("ask the engine about container %s: %w", id, err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return nil // the engine shall say so itself
	}
	var found struct {
		Config struct{ Labels map[string]string }
	}
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		return fmt.Errorf("ask the engine about container %s: %w", id, err)
	}
	labels := found.Config.Labels
	if labels[labelKind] != kindTask || labels[labelNetwork] != p.config.Network {
		return denied("container %s is no task of the network %s", id, p.config.Network)
	}
	return nil
}

func (c config) isTaskImage(image string) bool {
	return slices.ContainsFunc(c.Images, func(prefix string) bool { return strings.HasPrefix(image, prefix) })
}

func (p *proxy) isTaskImage(image string) bool { return p.config.isTaskImage(image) }
