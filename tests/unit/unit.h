/* SPDX-License-Identifier: MIT */
/*
 * unit.h: the main program of a CUnit test file. One file tests one module; each test is a row
 * {name, function}; an unregistered test does not build (-Wunused-function).
 *
 *   GPC_UNIT_MAIN("base/arena", {"allocations_are_zeroed", allocations_are_zeroed}, ...)
 */
#ifndef GPC_TESTS_UNIT_H
#define GPC_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <stdio.h>

#define GPC_UNIT_MAIN(suite_name, ...)                                                             \
	int main(void)                                                                             \
	{                                                                                          \
		CU_TestInfo tests[] = {__VA_ARGS__, CU_TEST_INFO_NULL};                            \
		CU_SuiteInfo suites[] = {{.pName = suite_name, .pTests = tests}, CU_SUITE_INFO_NULL}; \
		unsigned int run, failed;                                                          \
                                                                                                   \
		if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) { \
			fprintf(stderr, "%s: CUnit: %s\n", suite_name, CU_get_error_msg());        \
			return 1;                                                                  \
		}                                                                                  \
		CU_basic_set_mode(CU_BRM_SILENT);                                                  \
		CU_basic_run_tests();                                                              \
		CU_basic_show_failures(CU_get_failure_list());                                     \
		run = CU_get_number_of_tests_run();                                                \
		failed = CU_get_number_of_tests_failed();                                          \
		printf("\n%s: %u passed, %u failed\n", suite_name, run - failed, failed);            \
		CU_cleanup_registry();                                                             \
		return failed != 0 || run == 0;                                                    \
	}

#endif
