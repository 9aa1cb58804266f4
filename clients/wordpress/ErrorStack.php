<?php
/**
 * Plugin Name:       ErrorStack
 * Description:       Shows this site's PHP and JavaScript errors on your own ErrorStack server, the moment they happen.
 * Version:           1.0.0
 * Requires at least: 5.2
 * Requires PHP:      7.4
 * Author:            the ErrorStack Live authors
 * License:           MIT
 * Text Domain:       errorstack
 *
 * @package ErrorStack
 */

defined( 'ABSPATH' ) || exit;

define( 'ERRORSTACK_FILE', __FILE__ );

require_once __DIR__ . '/includes/options.php';
require_once __DIR__ . '/includes/watch.php';

errorstack_watch();

if ( is_admin() ) {
	require_once __DIR__ . '/includes/page.php';
	errorstack_page();
}
