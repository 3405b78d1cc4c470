/* SPDX-License-Identifier: MIT */
/* balancing_fixture.h: a plane with every kind of record that balancing has. */
#ifndef GPC_TESTS_BALANCING_FIXTURE_H
#define GPC_TESTS_BALANCING_FIXTURE_H

#include "../policy_fixture.h"

/* By name: app 0, quic 1, spare 2, web 3. */
static inline void fixture_balancing_plane(struct fixture *f)
{
	struct gpc_backend_intent *app, *quic, *spare, *web;
	struct gpc_listener_intent *listener;
	struct gpc_split_intent *split;

	fixture_init(f);
	fixture_interface(f, "wan0");
	app = fixture_backend(f, "app");
	fixture_endpoint(f, app, "a", "10.0.0.1", NULL)->port = fixture_number(f, 8080);
	quic = fixture_backend(f, "quic");
	fixture_endpoint(f, quic, "a", "10.0.0.2", NULL)->quic_id =
		(struct gpc_quic_id_value){.bytes = {1, 2}, .length = 2};
	fixture_endpoint(f, quic, "b", "10.0.0.3", NULL)->quic_id =
		(struct gpc_quic_id_value){.bytes = {1, 3}, .length = 2};
	spare = fixture_backend(f, "spare");
	fixture_endpoint(f, spare, "a", "10.0.0.4", NULL);
	web = fixture_backend(f, "web");
	web->failover = fixture_text(f, "spare");
	fixture_endpoint(f, web, "a", "10.0.0.5", NULL);

	listener = fixture_listener(f, "gue", "192.0.2.1", IPPROTO_TCP, 80, "web");
	listener->backend = (struct gpc_text_value){0};
	listener->forward = fixture_number(f, GPC_FORWARD_GUE);
	split = GPC_PUSH(&f->arena, &listener->split);
	*split = (struct gpc_split_intent){fixture_text(f, "web"), fixture_number(f, 3), listener->at};
	split = GPC_PUSH(&f->arena, &listener->split);
	*split = (struct gpc_split_intent){fixture_text(f, "spare"), fixture_number(f, 1), listener->at};
	fixture_listener(f, "http", "192.0.2.2", IPPROTO_TCP, 80, "web");
	listener = fixture_listener(f, "nat", "192.0.2.3", IPPROTO_TCP, 443, "app");
	listener->forward = fixture_number(f, GPC_FORWARD_NAT);
	listener = fixture_listener(f, "pass", "192.0.2.4", IPPROTO_SCTP, 2905, "web");
	listener->backend = (struct gpc_text_value){0};
	listener->port.last = 2910;
	listener->forward = fixture_number(f, GPC_FORWARD_PASS);
	listener = fixture_listener(f, "quic", "192.0.2.5", IPPROTO_UDP, 443, "quic");
	listener->affinity = fixture_number(f, GPC_AFFINITY_QUIC_CID);
}

enum { GUE, HTTP, NAT, PASS, QUIC };
enum { GUE_SPARE, GUE_WEB, HTTP_WEB, HTTP_SPARE, NAT_APP, QUIC_QUIC, POOLS };

#endif
