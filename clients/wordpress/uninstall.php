<?php
/**
 * Leaves nothing behind when the plugin is deleted.
 *
 * @package ErrorStack
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

if ( is_multisite() ) {
	foreach ( get_sites(
		array(
			'fields' => 'ids',
			'number' => 0,
		)
	) as $errorstack_site ) {
		switch_to_blog( $errorstack_site );
		delete_option( 'errorstack' );
		restore_current_blog();
	}
} else {
	delete_option( 'errorstack' );
}
