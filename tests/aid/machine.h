/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine with USB drives that is not there: its /sys and /dev are umockdev's.
 *
 *	usb:1-1    stick, BOT, bound                    sdb sg1
 *	usb:1-2    disk, BOT and UAS, bound to uas      sdc sg2   (4096-byte blocks)
 *	usb:1-3    card reader, two units, bound        sdd sg3, sde sg4 (empty slot)
 *	usb:1-4    stick, BOT, nothing bound
 *	usb:1-5.2  and 1-5.10: two sticks with one serial number, bound    sdf sg5, sdg (no sg)
 *	usb:1-6    keyboard
 *	usb:1-7    disk, UAS only, nothing bound
 *	usb:1-8    stick, claimed by a program
 *	usb:1-9    disk whose second unit is an enclosure (type 13), bound  sdh sg6, sg7
 *	           a SCSI disk that is not on USB, sda sg0, with the partition sda1; a loop device
 */
#ifndef UMS_TESTS_AID_MACHINE_H
#define UMS_TESTS_AID_MACHINE_H

/* Runs this program (again) on that machine: returns there.  Where umockdev is missing it prints
 * a skipped plan and exits.  Call it first in main(). */
void machine_enter(char **argv);

#endif
