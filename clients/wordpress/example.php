<?php
/**
 * Plugin Name: A shop that fails
 * Description: An example of what ErrorStack sees: open /?shop=fatal, warning, exception, memory, submit or script.
 *
 * @package ErrorStack
 */

defined( 'ABSPATH' ) || exit;

add_action( 'init', 'failing_shop' );

/** Do what the address asks for. */
function failing_shop(): void {
	$what = isset( $_GET['shop'] ) ? sanitize_key( $_GET['shop'] ) : ''; // phpcs:ignore WordPress.Security.NonceVerification.Recommended
	switch ( $what ) {
		case 'fatal':
			failing_shop_pays( 'card 4000' );
			break;
		case 'warning':
			echo $nothing; // phpcs:ignore
			break;
		case 'exception':
			throw new DomainException( 'the shop is closed' );
		case 'memory':
			ini_set( 'memory_limit', '64M' ); // phpcs:ignore
			$all = '';
			while ( true ) {
				$all .= str_repeat( 'x', 1000000 );
			}
		case 'submit':
			do_action( 'errorstack_log', 'cart emptied' );
			do_action( 'errorstack_submit', 'payment refused', array( 'order' => 1017 ) );
			break;
		case 'script':
			add_action(
				'wp_footer',
				static function (): void {
					echo '<script>setTimeout(function () { theCart.empty(); }, 50);</script>';
				}
			);
	}
}

/** Call what is not there. */
function failing_shop_pays( string $card ): void {
	failing_bank( $card );
}
