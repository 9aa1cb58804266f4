<?php
/**
 * Settings → ErrorStack.
 *
 * @package ErrorStack
 */

defined( 'ABSPATH' ) || exit;

const ERRORSTACK_CAPABILITY = 'manage_options';

/** Add the page. */
function errorstack_page(): void {
	add_action( 'admin_menu', 'errorstack_menu' );
	add_action( 'admin_init', 'errorstack_settings' );
	add_action( 'admin_post_errorstack_test', 'errorstack_test' );
	add_filter( 'plugin_action_links_' . plugin_basename( ERRORSTACK_FILE ), 'errorstack_link' );
}

/** Put the page below Settings. */
function errorstack_menu(): void {
	add_options_page( 'ErrorStack', 'ErrorStack', ERRORSTACK_CAPABILITY, 'errorstack', 'errorstack_show' );
}

/** Let WordPress store the options: it checks nonce and capability. */
function errorstack_settings(): void {
	register_setting(
		'errorstack',
		ERRORSTACK_OPTION,
		array(
			'type'              => 'array',
			'sanitize_callback' => 'errorstack_sanitize',
			'show_in_rest'      => false,
		)
	);
}

/**
 * Link from the list of plugins.
 *
 * @param string[] $links What is there.
 */
function errorstack_link( $links ) {
	$url = admin_url( 'options-general.php?page=errorstack' );
	return array_merge( array( '<a href="' . esc_url( $url ) . '">' . esc_html__( 'Settings', 'errorstack' ) . '</a>' ), (array) $links );
}

/** Send an error while the administrator waits, and say how it went. */
function errorstack_test(): void {
	if ( ! current_user_can( ERRORSTACK_CAPABILITY ) ) {
		wp_die( esc_html__( 'You may not do that.', 'errorstack' ), 403 );
	}
	check_admin_referer( 'errorstack_test' );
	$client = errorstack_client();
	$reply  = $client ? $client->ask( array( 'Msg' => 'A test of WordPress’ ErrorStack plugin', 'level' => 'info' ) ) : array();
	if ( true === ( $reply['success'] ?? false ) ) {
		add_settings_error( ERRORSTACK_OPTION, 'errorstack', __( 'The server has it: look at your stack.', 'errorstack' ), 'success' );
	} else {
		/* translators: %s: what the server or the connection said */
		errorstack_complain( sprintf( __( 'It was not taken: %s', 'errorstack' ), (string) ( $reply['errorMsg'] ?? '?' ) ) );
	}
	set_transient( 'settings_errors', get_settings_errors(), 30 );
	wp_safe_redirect( admin_url( 'options-general.php?page=errorstack&settings-updated=true' ) );
	exit;
}

/** Write the page. */
function errorstack_show(): void {
	if ( ! current_user_can( ERRORSTACK_CAPABILITY ) ) {
		return;
	}
	$client  = errorstack_client();
	$options = errorstack_options();
	?>
	<div class="wrap">
		<h1>ErrorStack</h1>
		<?php if ( ! $client ) : ?>
			<div class="notice notice-error"><p><?php esc_html_e( 'This copy of the plugin was not packed: lib/ErrorStackClient.php is missing.', 'errorstack' ); ?></p></div>
		<?php elseif ( ! $client->isEnabled() ) : ?>
			<div class="notice notice-warning"><p><?php esc_html_e( 'Nothing is sent yet: it takes a stack key and the address of your server.', 'errorstack' ); ?></p></div>
		<?php endif; ?>
		<form action="<?php echo esc_url( admin_url( 'options.php' ) ); ?>" method="post">
			<?php settings_fields( 'errorstack' ); ?>
			<table class="form-table" role="presentation">
				<?php
				errorstack_row( 'endpoint', __( 'Server', 'errorstack' ), $options['endpoint'], 'url', 'https://errors.example.com' );
				errorstack_row( 'stack_key', __( 'Stack key', 'errorstack' ), $options['stack_key'], 'text', __( 'from the stack’s Set up page', 'errorstack' ) );
				errorstack_row( 'environment', __( 'Environment', 'errorstack' ), $options['environment'], 'text', errorstack_environment() );
				?>
				<tr>
					<th scope="row"><label for="errorstack-levels"><?php esc_html_e( 'PHP errors', 'errorstack' ); ?></label></th>
					<td>
						<select id="errorstack-levels" name="errorstack[levels]" <?php disabled( errorstack_is_fixed( 'levels' ) ); ?>>
							<?php foreach ( errorstack_level_names() as $level => $name ) : ?>
								<option value="<?php echo esc_attr( $level ); ?>" <?php selected( $level, $options['levels'] ); ?>><?php echo esc_html( $name ); ?></option>
							<?php endforeach; ?>
						</select>
						<p class="description"><?php esc_html_e( 'Exceptions that nobody catches and fatal errors are always sent.', 'errorstack' ); ?></p>
					</td>
				</tr>
				<tr>
					<th scope="row"><?php esc_html_e( 'JavaScript errors', 'errorstack' ); ?></th>
					<td>
						<label>
							<input type="checkbox" name="errorstack[beacon]" value="1" <?php checked( (bool) $options['beacon'] ); ?> <?php disabled( errorstack_is_fixed( 'beacon' ) ); ?>>
							<?php esc_html_e( 'Send errors of the site’s pages from visitors’ browsers: adds the server’s beacon.js to every page', 'errorstack' ); ?>
						</label>
					</td>
				</tr>
			</table>
			<?php submit_button(); ?>
		</form>
		<?php if ( $client && $client->isEnabled() ) : ?>
			<form action="<?php echo esc_url( admin_url( 'admin-post.php' ) ); ?>" method="post">
				<input type="hidden" name="action" value="errorstack_test">
				<?php
				wp_nonce_field( 'errorstack_test' );
				submit_button( __( 'Send a test error', 'errorstack' ), 'secondary', 'errorstack-test' );
				?>
			</form>
		<?php endif; ?>
	</div>
	<?php
}

/** Write a row with an input. */
function errorstack_row( string $name, string $label, string $value, string $type, string $hint ): void {
	$is_fixed = errorstack_is_fixed( $name );
	?>
	<tr>
		<th scope="row"><label for="errorstack-<?php echo esc_attr( $name ); ?>"><?php echo esc_html( $label ); ?></label></th>
		<td>
			<input id="errorstack-<?php echo esc_attr( $name ); ?>" class="regular-text" type="<?php echo esc_attr( $type ); ?>"
				name="errorstack[<?php echo esc_attr( $name ); ?>]" value="<?php echo esc_attr( $value ); ?>"
				placeholder="<?php echo esc_attr( $hint ); ?>" <?php disabled( $is_fixed ); ?>>
			<?php if ( $is_fixed ) : ?>
				<?php /* translators: %s: the name of a constant */ ?>
				<p class="description"><?php echo esc_html( sprintf( __( 'Set by %s in wp-config.php.', 'errorstack' ), errorstack_constant( $name ) ) ); ?></p>
			<?php endif; ?>
		</td>
	</tr>
	<?php
}

/** Return what the choices of PHP errors are called. */
function errorstack_level_names(): array {
	return array(
		'errors'   => __( 'Errors only', 'errorstack' ),
		'warnings' => __( 'Errors and warnings', 'errorstack' ),
		'notices'  => __( 'Errors, warnings and notices', 'errorstack' ),
		'all'      => __( 'All, also what is deprecated', 'errorstack' ),
	);
}
