/* SPDX-License-Identifier: BSD-2-Clause */
/* For scripts/lint: what macros of libraries are, since cppcheck does not look into those. */
#define LIBBPF_OPTS(type, name, ...) struct type name = {__VA_ARGS__}
#define mnl_attr_for_each(attr, nlh, offset)                                                       \
	for (attr = mnl_nlmsg_get_payload_offset(nlh, offset);                                     \
	     mnl_attr_ok(attr, (char *)mnl_nlmsg_get_payload_tail(nlh) - (char *)attr);            \
	     attr = mnl_attr_next(attr))
