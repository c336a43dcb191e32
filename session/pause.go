package session

// PauseImage is the image of a container that does nothing but to be there: nodes have it in them, no registry has it, and it is no name that
// a registry could have. A task that is made of such alone needs no sandbox.
const PauseImage = "@berth/pause"
