package metadata

import "net/http"

// credentialError is the agent's shape.
type credentialError struct {
	Code          string `json:"code"`
	Message       string `json:"message"`
	HTTPErrorCode int    `json:"HTTPErrorCode"`
}

// credentials answers with the secret itself, so nothing may keep a copy on the way.
func (h *handler) credentials(w http.ResponseWriter, r *http.Request, request, id string) {
	w.Header().Set("Cache-Control", "no-store")
	if id == "" {
		h.refuse(w, r, "NoIdInRequest", request+": No Credential ID in the request")
		return
	}
	if s, ok := h.source.(CredentialSource); ok {
		if c, task, found := s.Credentials(id); found && h.entitled(r, task) {
			if c.AccessKeyID == "" {
				h.answer(w, r, http.StatusServiceUnavailable, credentialError{"CredentialsUninitialized", request + ": Credentials uninitialized for ID", http.StatusServiceUnavailable})
				return
			}
			h.answer(w, r, http.StatusOK, c)
			return
		}
	}
	h.refuse(w, r, "InvalidIdInRequest", request+": Credentials not found")
}

func (h *handler) refuse(w http.ResponseWriter, r *http.Request, code, message string) {
	h.answer(w, r, http.StatusBadRequest, credentialError{code, message, http.StatusBadRequest})
}
