// Package inventory says what an installation really has on this machine: it reads the kernel and asks containerd, and
// takes nobody's word for anything. It shares no code with what it audits.
//
// What is guaranteed:
//
//   - Take changes nothing. What could not be read stands in Problems; an inventory without problems is complete.
//   - Items are sorted and their keys stable, so two inventories of an unchanged installation are equal.
//   - An item that belongs to a task or an endpoint names it as Owner; infrastructure has no owner.
package inventory
