package oidcprovider

import (
	"net/http"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// The client that is registered, and everybody's password.
const (
	Client   = "parley"
	Secret   = "provider-secret"
	Password = "verysecure"
)

// Person can sign in.
type Person struct {
	Username string // also the subject
	Name     [2]string
	Email    string
	Verified bool // the email
}

// People are those who can sign in where a test names no others.
func People() []Person {
	return []Person{
		{"ann", [2]string{"Ann", "Lee"}, "ann@example.org", true},
		{"bob", [2]string{"Bob", "Ray"}, "bob@example.com", true},
		{"eve", [2]string{"Eve", "Fox"}, "ann@example.org", false}, // says that she is Ann
	}
}

// New makes a provider that is reached at issuer, as http://127.0.0.1:9000, and sends people back to redirects alone.
func New(issuer string, people []Person, redirects ...string) http.Handler {
	clients := map[string]*storage.Client{Client: storage.WebClient(Client, Secret, redirects...)}
	return exampleop.SetupServer(issuer, storage.NewStorageWithClients(directory(people), clients), nil, false)
}

// directory finds people.
type directory []Person

var _ storage.UserStore = directory{}

// GetUserByID finds somebody by the subject, which is the user name here.
func (d directory) GetUserByID(id string) *storage.User { return d.GetUserByUsername(id) }

// GetUserByUsername finds somebody.
func (d directory) GetUserByUsername(name string) *storage.User {
	for _, p := range d {
		if p.Username == name {
			return &storage.User{
				ID: p.Username, Username: p.Username, Password: Password, FirstName: p.Name[0], LastName: p.Name[1],
				Email: p.Email, EmailVerified: p.Verified,
			}
		}
	}
	return nil
}

// ExampleClientID names the example's service account, which nothing here uses.
func (directory) ExampleClientID() string { return storage.ServiceUserID }
