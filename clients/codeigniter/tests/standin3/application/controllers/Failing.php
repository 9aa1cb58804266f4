<?php

defined('BASEPATH') or exit('No direct script access allowed');

class Failing extends CI_Controller
{
    public function fine()
    {
        echo 'fine';
    }

    public function warning()
    {
        echo $nothing, 'goes on';
    }

    public function exception()
    {
        throw new DomainException('the shop is closed', 7, new LogicException('no keeper'));
    }

    public function memory()
    {
        ini_set('memory_limit', '16M');
        while (true) {
            $all[] = str_repeat('x', 1000);
        }
    }

    public function parse()
    {
        file_put_contents(APPPATH . 'broken.inc', '<?php function ours() {} function ours() {}');
        include APPPATH . 'broken.inc';
    }

    public function send()
    {
        $this->load->library('errorstack');
        $this->errorstack->log('cart emptied');
        echo json_encode($this->errorstack->send_error(array('Msg' => 'sent')));
    }

    public function image()
    {
        $this->load->library('errorstack');
        header('Content-Type: image/gif');
        echo $this->errorstack->send_error(array('Msg' => 'sent'), $_GET['key'], 'img');
    }

    public function late()
    {
        $this->load->library('errorstack');
        $this->errorstack->log('cart emptied');
        $this->errorstack->submit('said at the end', array('order' => array('id' => 1017)));
        echo 'goes on';
    }
}
