/* SPDX-License-Identifier: MIT */
/* build.h: the steps of gpc_model_build(), inside model/ only; in the order of their calls. */
#ifndef GPC_MODEL_BUILD_H
#define GPC_MODEL_BUILD_H

#include "catalog.h"
#include "model.h"

/* Each adds its errors to diags and fills its part of *model. */
void gpc_model_defaults(const struct gpc_intent *intent, struct gpc_model *model);
void gpc_model_interfaces(struct gpc_diags *diags, const struct gpc_intent *intent,
			  struct gpc_model *model);
void gpc_model_backends(struct gpc_diags *diags, const struct gpc_intent *intent,
			struct gpc_model *model);
void gpc_model_listeners(struct gpc_diags *diags, const struct gpc_intent *intent,
			 struct gpc_model *model);
/* Segments, rules, `protect` items, policies and chains, over one space of sets and services. */
void gpc_model_policies(struct gpc_diags *diags, const struct gpc_intent *intent,
			struct gpc_model *model);
void gpc_model_probes(struct gpc_diags *diags, const struct gpc_intent *intent,
		      struct gpc_model *model);
void gpc_model_identities(struct gpc_diags *diags, const struct gpc_model *model);

struct gpc_resolver;
/* Inside gpc_model_policies(): rules by name, then what names them. */
void gpc_model_rules(struct gpc_resolver *resolver, struct gpc_catalog *catalog);
void gpc_model_protects(struct gpc_resolver *resolver);
void gpc_model_invariants(struct gpc_resolver *resolver);
void gpc_model_policy_list(struct gpc_resolver *resolver, const struct gpc_catalog *catalog);
void gpc_model_chains(struct gpc_diags *diags, struct gpc_model *model);

/* ---- what they share ---- */

/* `kind` and `name` say whose rate it is. `rate` may be NULL: there is none. */
struct gpc_model_rate gpc_model_rate(struct gpc_diags *diags, const struct gpc_rate_intent *rate,
				     const char *kind, const char *name);

/* Index of model.backends, marked as used; GPC_NONE after an error. */
uint32_t gpc_model_backend_named(struct gpc_diags *diags, struct gpc_model *model,
				 const struct gpc_text_value *name, const char *owner_kind,
				 const char *owner);

/* "unknown segment `x` in rule `y`", with the nearest candidate. */
void gpc_model_unknown(struct gpc_diags *diags, enum gpc_code code,
		       const struct gpc_text_value *name, const char *kind, const char *owner_kind,
		       const char *owner, const char *const *candidates, size_t count);

/* Index of model.interfaces by its written name, GPC_NONE after an error. */
uint32_t gpc_model_interface_named(struct gpc_diags *diags, const struct gpc_model *model,
				   const struct gpc_text_value *name, const char *owner_kind,
				   const char *owner);
/* Bits of model.interfaces; none named, or `*`: all. */
uint64_t gpc_model_interface_mask(struct gpc_diags *diags, const struct gpc_model *model,
				  const struct gpc_text_value *names, size_t count,
				  const char *owner_kind, const char *owner);

#endif
