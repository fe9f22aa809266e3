/* SPDX-License-Identifier: BSD-2-Clause */
/* What simulated drives with vendor commands say of themselves: for tests, which compare. */
#ifndef UMS_SIMVENDOR_VALUES_H
#define UMS_SIMVENDOR_VALUES_H

/* --- the ATA disk --- */
#define SIM_ATA_MODEL	    "SIMULATED ATA DISK 1TB"
#define SIM_ATA_SERIAL	    "ATA-SERIAL-0042"
#define SIM_ATA_FIRMWARE    "FW1.02"
#define SIM_ATA_SECTORS	    1953525168u
#define SIM_ATA_ROTATION    5400
#define SIM_ATA_TEMPERATURE 37
#define SIM_ATA_HOURS	    12345
#define SIM_ATA_CYCLES	    678
#define SIM_ATA_REALLOCATED 3
#define SIM_ATA_PENDING	    7

/* --- the NVMe drive --- */
#define SIM_NVME_MODEL	     "SIMULATED NVME DRIVE 512GB"
#define SIM_NVME_SERIAL	     "NVME-SERIAL-0077"
#define SIM_NVME_FIRMWARE    "NV3.14"
#define SIM_NVME_BLOCKS	     1000215216u
#define SIM_NVME_TEMPERATURE 41 /* °C */
#define SIM_NVME_HOURS	     2345
#define SIM_NVME_CYCLES	     91
#define SIM_NVME_ERRORS	     2

/* --- controllers --- */
#define SIM_JMS567_VERSION   "\x00\x91\x02\x04"
#define SIM_ASMEDIA_VERSION  "\x20\x11\x10\xa1\x82\x55"
#define SIM_RTL921X_MAJOR    1
#define SIM_RTL921X_MINOR    32
#define SIM_RTL921X_PATCH    87
#define SIM_RTL921X_DATE     20230721
#define SIM_GENESYS_VERSION  "1532"
#define SIM_GENESYS_CUSTOMER "\x12\x34\x56\x78"
#define SIM_PHISON_CHIP	     "\x22\x51"
#define SIM_PHISON_MODE	     "FW BURN"
#define SIM_PHISON_NAND	     "\x98\xd7\x98\x92\x72\x57"
#define SIM_SMI_FIRMWARE     "ISP SM3257ENAA"
#define SIM_SMI_MODEL	     "SM3257EN"
#define SIM_SMI_NAND	     "\xad\xde\x94\xeb\x74\x44"
#define SIM_ALCOR_CHIP	     "\xca\x09"
#define SIM_ALCOR_BAD	     5			/* in fours */
#define SIM_ALCOR_FIRMWARE   "\xaa\x01\x14\x28" /* a mark, loaded, and its version */
#define SIM_ALCOR_VERSION    "\x28\x01\xf2\x14"
#define SIM_ALCOR_REVISION   0x40
#define SIM_ALCOR_NAND	     "\x2c\x64\x44\x4b\xa9\x00"
#define SIM_WD_HINT	     "name of the cat"
#define SIM_WD_ITERATIONS    1000
#define SIM_WD_SALT	     "\x57\xdc\x01\x02\x03\x04\x05\x06"

/* --- standard commands --- */
#define SIM_TEMPERATURE 33
#define SIM_REFERENCE	65
#define SIM_ENDURANCE	12
#define SIM_START_STOPS 4321

#endif
