package launchapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"launchlake/internal/launchapi/rawjson"
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
	if !json.Valid(body) {
		return envelope{}, notJSON(body)
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

// notJSON says where the text stops being JSON.
func notJSON(body []byte) error {
	var ignored json.RawMessage
	err := json.Unmarshal(body, &ignored)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("the body is no JSON: %w (byte %d of %d)", syntax, syntax.Offset, len(body))
	}
	return errors.New("the body is no JSON")
}
