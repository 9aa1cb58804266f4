<?php
/**
 * Watches PHP and, where that is wanted, the pages in the visitors' browsers.
 *
 * @package ErrorStack
 */

defined( 'ABSPATH' ) || exit;

/** Begin to watch, as early as a plugin can. */
function errorstack_watch(): void {
	add_filter( 'pre_update_option_active_plugins', 'errorstack_first' );
	add_action( 'errorstack_submit', 'errorstack_submit', 10, 2 );
	add_action( 'errorstack_log', 'errorstack_log', 10, 2 );
	$client = errorstack_client();
	if ( $client && $client->isEnabled() ) {
		$client->watch();
		if ( errorstack_options()['beacon'] ) {
			add_action( 'wp_enqueue_scripts', 'errorstack_beacon', 0 );
			add_filter( 'script_loader_tag', 'errorstack_beacon_tag', 10, 2 );
		}
	}
}

/** Return the client of this request; null where the plugin was not packed with it. */
function errorstack_client(): ?ErrorStack\Client {
	static $client = null;
	$file = dirname( __DIR__ ) . '/lib/ErrorStackClient.php';
	if ( ! class_exists( 'ErrorStack\Client', false ) && is_readable( $file ) ) {
		require_once $file;
	}
	if ( null === $client && class_exists( 'ErrorStack\Client' ) ) {
		$options = errorstack_options();
		$client  = new ErrorStack\Client(
			$options['stack_key'],
			$options['endpoint'],
			array(
				'environment' => $options['environment'] ?: errorstack_environment(),
				'levels'      => ERRORSTACK_PHP_LEVELS[ $options['levels'] ] ?? E_ALL,
				'fields'      => Closure::fromCallable( 'errorstack_surroundings' ),
				'scrub'       => 'errorstack_scrub',
			)
		);
	}
	return $client;
}

/**
 * Send an error: do_action( 'errorstack_submit', $what, $fields ) does nothing without the plugin.
 *
 * @param Throwable|string|array $what   What happened.
 * @param array                  $fields Anything else to know.
 */
function errorstack_submit( $what, $fields = array() ): void {
	$client = errorstack_client();
	$site   = is_string( $what ) ? errorstack_call_site() : array();
	$client && $client->submit( $what, (array) $fields + $site );
}

/** Return where do_action was called: not in this plugin, nor in what WordPress makes of it. */
function errorstack_call_site(): array {
	$ways = array( __FILE__, ABSPATH . WPINC . '/plugin.php', ABSPATH . WPINC . '/class-wp-hook.php' );
	foreach ( debug_backtrace( DEBUG_BACKTRACE_IGNORE_ARGS, 10 ) as $call ) { // phpcs:ignore WordPress.PHP.DevelopmentFunctions
		if ( isset( $call['file'] ) && ! in_array( $call['file'], $ways, true ) ) {
			return array(
				'File' => $call['file'],
				'Line' => $call['line'],
			);
		}
	}
	return array();
}

/**
 * Send a log message: do_action( 'errorstack_log', $what, $fields ).
 *
 * @param string|array $what   The message.
 * @param array        $fields Anything else to know.
 */
function errorstack_log( $what, $fields = array() ): void {
	$client = errorstack_client();
	$client && $client->log( $what, (array) $fields );
}

/** Return what every error of this site has. */
function errorstack_surroundings(): array {
	global $wp_version;
	$doing = array(
		'cron'  => defined( 'DOING_CRON' ) && DOING_CRON,
		'ajax'  => defined( 'DOING_AJAX' ) && DOING_AJAX,
		'rest'  => defined( 'REST_REQUEST' ) && REST_REQUEST,
		'admin' => is_admin(),
	);
	return array(
		'wordpress' => $wp_version,
		'theme'     => get_option( 'stylesheet' ),
		'part'      => array_search( true, $doing, true ) ?: 'site',
	);
}

/**
 * Say which plugin or theme an error is of, then let the site's own code change it.
 *
 * The filter errorstack_fields gets the fields and returns those to send, or null to send nothing.
 *
 * @param array $fields What is about to be sent.
 */
function errorstack_scrub( array $fields ): ?array {
	$component = isset( $fields['File'] ) && is_string( $fields['File'] ) ? errorstack_component( $fields['File'] ) : '';
	if ( '' !== $component ) {
		$fields += array( 'component' => $component );
	}
	$kept = apply_filters( 'errorstack_fields', $fields );
	return is_array( $kept ) ? $kept : null;
}

/** Return "plugin akismet", "theme twentytwenty", "WordPress", or nothing. */
function errorstack_component( string $file ): string {
	$file  = wp_normalize_path( $file );
	$roots = array(
		'plugin'    => WP_PLUGIN_DIR,
		'mu-plugin' => WPMU_PLUGIN_DIR,
		'theme'     => get_theme_root(),
	);
	foreach ( $roots as $kind => $root ) {
		$root = trailingslashit( wp_normalize_path( $root ) );
		if ( 0 === strpos( $file, $root ) ) {
			return $kind . ' ' . strtok( substr( $file, strlen( $root ) ), '/' );
		}
	}
	$core = wp_normalize_path( ABSPATH . WPINC ) . '/';
	return 0 === strpos( $file, $core ) ? 'WordPress' : '';
}

/**
 * Load this plugin before the others, so that their errors are seen while they load.
 *
 * @param mixed $plugins The active plugins.
 */
function errorstack_first( $plugins ) {
	$own = plugin_basename( ERRORSTACK_FILE );
	if ( is_array( $plugins ) && in_array( $own, $plugins, true ) ) {
		$plugins = array_values( array_unique( array_merge( array( $own ), $plugins ) ) );
	}
	return $plugins;
}

/** Have the server's beacon on every page of the site, before other scripts. */
function errorstack_beacon(): void {
	// The server says how long the script may be kept: no version of ours.
	wp_enqueue_script( 'errorstack-beacon', errorstack_options()['endpoint'] . '/beacon.js', array(), null, false ); // phpcs:ignore WordPress.WP.EnqueuedResourceParameters.MissingVersion
}

/**
 * Give the beacon's tag the stack key.
 *
 * @param string $tag    The tag.
 * @param string $handle Of which script.
 */
function errorstack_beacon_tag( $tag, $handle ) {
	if ( 'errorstack-beacon' !== $handle ) {
		return $tag;
	}
	return str_replace( ' src=', ' data-stack="' . esc_attr( errorstack_options()['stack_key'] ) . '" src=', $tag );
}
