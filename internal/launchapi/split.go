package launchapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"launchlake/internal/rawjson"
)

// envelope is what the API wraps a page in.
type envelope struct {
	total   int    // -1 when the body does not say
	next    string // empty on the last page
	results []json.RawMessage
}

// splitPage cuts a body into its results. They alias the body: whatever JSON value a result is, its bytes stay as
// they were served. The whole body must be JSON, though strings may hold bytes that are no UTF-8.
func splitPage(body []byte) (envelope, error) {
	if at, ok := rawjson.Valid(body); !ok {
		return envelope{}, notJSON(body, at)
	}
	page := envelope{total: -1}
	var results []byte
	for name, value := range rawjson.Members(body) {
		switch string(name) {
		case "count":
			if n, err := strconv.Atoi(string(value)); err == nil {
				page.total = n
			}
		case "next":
			text, ok := rawjson.Text(value)
			if !ok && rawjson.Kind(value) != 'n' {
				return envelope{}, errors.New("no page: next is neither a string nor null")
			}
			page.next = text
		case "results":
			results = value
		}
	}
	switch rawjson.Kind(results) {
	case '[':
	case 0:
		return envelope{}, errors.New("no page: results is missing")
	default:
		return envelope{}, errors.New("no page: results is not an array")
	}
	page.results = make([]json.RawMessage, 0, usualLimit)
	for element := range rawjson.Elements(results) {
		page.results = append(page.results, element)
	}
	return page, nil
}

func notJSON(body []byte, at int) error {
	if at == len(body) {
		return fmt.Errorf("the body is no JSON: it breaks off after %d bytes", at)
	}
	return fmt.Errorf("the body is no JSON: byte %d of %d is %q", at+1, len(body), body[at])
}
