<?php
/**
 * What the site's administrator chose, or wrote into wp-config.php, which wins.
 *
 * @package ErrorStack
 */

defined( 'ABSPATH' ) || exit;

const ERRORSTACK_OPTION = 'errorstack';

/** Which of PHP's errors are sent; exceptions and fatal errors always are. */
const ERRORSTACK_PHP_LEVELS = array(
	'errors'   => E_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR,
	'warnings' => E_ALL & ~E_NOTICE & ~E_USER_NOTICE & ~E_DEPRECATED & ~E_USER_DEPRECATED,
	'notices'  => E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED,
	'all'      => E_ALL,
);

/** The options and their defaults; those of wp-config.php are constants of the upper-case name. */
const ERRORSTACK_DEFAULTS = array(
	'stack_key'   => '',
	'endpoint'    => '',
	'environment' => '',
	'levels'      => 'warnings',
	'beacon'      => '0',
);

/** Return all options, each a text. */
function errorstack_options(): array {
	$chosen  = get_option( ERRORSTACK_OPTION );
	$options = array();
	foreach ( ERRORSTACK_DEFAULTS as $name => $default ) {
		$value            = is_array( $chosen ) ? ( $chosen[ $name ] ?? $default ) : $default;
		$options[ $name ] = errorstack_is_fixed( $name ) ? constant( errorstack_constant( $name ) ) : $value;
		$options[ $name ] = is_scalar( $options[ $name ] ) ? (string) $options[ $name ] : $default;
	}
	return $options;
}

/** Return the environment that errors are of, where nobody named one: WordPress knows it from 5.5 on. */
function errorstack_environment(): string {
	return function_exists( 'wp_get_environment_type' ) ? wp_get_environment_type() : 'production';
}

/** Whether wp-config.php says what an option is. */
function errorstack_is_fixed( string $name ): bool {
	return defined( errorstack_constant( $name ) );
}

/** Return the name of an option's constant: ERRORSTACK_STACK_KEY. */
function errorstack_constant( string $name ): string {
	return 'ERRORSTACK_' . strtoupper( $name );
}

/**
 * Return what the options page sent as options that can be stored; what is wrong stays as it was.
 *
 * @param mixed $sent What a browser sent.
 */
function errorstack_sanitize( $sent ): array {
	$sent    = is_array( $sent ) ? array_filter( $sent, 'is_scalar' ) : array();
	$options = get_option( ERRORSTACK_OPTION );
	$options = array_intersect_key( is_array( $options ) ? $options : array(), ERRORSTACK_DEFAULTS ) + ERRORSTACK_DEFAULTS;

	$key = trim( (string) ( $sent['stack_key'] ?? $options['stack_key'] ) );
	if ( preg_match( '/^[\x21-\x7e]{0,200}$/D', $key ) ) {
		$options['stack_key'] = $key;
	} else {
		errorstack_complain( __( 'The stack key has letters that no stack key has.', 'errorstack' ) );
	}

	$endpoint = trim( (string) ( $sent['endpoint'] ?? $options['endpoint'] ) );
	$url      = esc_url_raw( $endpoint, array( 'http', 'https' ) );
	if ( '' === $endpoint || ( $url && wp_parse_url( $url, PHP_URL_HOST ) && preg_match( '#^https?://#i', $endpoint ) ) ) {
		$options['endpoint'] = untrailingslashit( $url );
	} else {
		errorstack_complain( __( 'The server’s address begins with https:// or http://.', 'errorstack' ) );
	}

	$options['environment'] = sanitize_text_field( (string) ( $sent['environment'] ?? $options['environment'] ) );
	$levels                 = (string) ( $sent['levels'] ?? '' );
	$options['levels']      = isset( ERRORSTACK_PHP_LEVELS[ $levels ] ) ? $levels : $options['levels'];
	$options['beacon']      = empty( $sent['beacon'] ) ? '0' : '1';
	return $options;
}

/** Show a problem on the options page. */
function errorstack_complain( string $problem ): void {
	add_settings_error( ERRORSTACK_OPTION, 'errorstack', $problem );
}
