// Sends a request for each line of its standard input and says in a line of JSON what Go's net/http reports.
//
// A line is a URL, or "cancel" to give up the request that is under way. SSL_CERT_FILE names the authority to trust.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"syscall"
)

const requestBody = `{"transaction_id":"golden"}`

type raised struct {
	Name string `json:"name"`
	Code string `json:"code,omitempty"`
}

type line struct {
	// "head" once the head of the answer is there, then "done".
	Event  string   `json:"event"`
	Status int      `json:"status,omitempty"`
	Bytes  int64    `json:"bytes"`
	Errors []raised `json:"errors,omitempty"`
	Text   string   `json:"text,omitempty"`
}

var codes = map[syscall.Errno]string{
	syscall.ECONNREFUSED: "ECONNREFUSED",
	syscall.ECONNRESET:   "ECONNRESET",
	syscall.EPIPE:        "EPIPE",
}

func chain(err error) []raised {
	var all []raised
	for ; err != nil; err = errors.Unwrap(err) {
		one := raised{Name: reflect.TypeOf(err).String()}
		if number, ok := err.(syscall.Errno); ok {
			one.Code = codes[number]
		}
		all = append(all, one)
	}
	return all
}

func main() {
	out := json.NewEncoder(os.Stdout)
	client := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	cancel := func() {}
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		if input.Text() == "cancel" {
			cancel()
			continue
		}
		var ctx context.Context
		ctx, cancel = context.WithCancel(context.Background())
		go ask(ctx, client, input.Text(), out)
	}
}

func ask(ctx context.Context, client *http.Client, url string, out *json.Encoder) {
	fail := func(err error) {
		out.Encode(line{Event: "done", Errors: chain(err), Text: fmt.Sprint(err)})
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(requestBody))
	if err != nil {
		fail(err)
		return
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		fail(err)
		return
	}
	defer response.Body.Close()
	out.Encode(line{Event: "head"})
	bytes, err := io.Copy(io.Discard, response.Body)
	if err != nil {
		fail(err)
		return
	}
	out.Encode(line{Event: "done", Status: response.StatusCode, Bytes: bytes})
}
