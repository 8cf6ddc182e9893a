/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For `make static`: libpcap's capture of D-Bus messages, which would bring libdbus and
 * libsystemd with it (of the latter there is no archive), has nothing to capture.
 * libpcap's own prototypes of these two are in no header that is installed.
 */
#include <pcap/pcap.h>

pcap_t *dbus_create(const char *device, char *why, int *is_ours);
int dbus_findalldevs(void *list, char *why);

pcap_t *dbus_create(const char *device, char *why, int *is_ours)
{
	(void)device;
	(void)why;
	*is_ours = 0;
	return NULL;
}

int dbus_findalldevs(void *list, char *why)
{
	(void)list;
	(void)why;
	return 0;
}
