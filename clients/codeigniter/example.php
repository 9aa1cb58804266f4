<?php

namespace App\Controllers;

use App\Libraries\ErrorStack;

/** For app/Controllers/Failing.php of a CodeIgniter 4 application: what ErrorStack sees of it. */
class Failing extends BaseController
{
    public function fine()
    {
        return 'fine';
    }

    public function error()
    {
        log_message('info', 'cart {id} emptied', ['id' => 7]);
        log_message('error', 'payment refused');
        return 'goes on';
    }

    public function caught()
    {
        try {
            throw new \LengthException('card declined');
        } catch (\LengthException $declined) {
            log_message('warning', 'no money: {exception}', ['exception' => $declined]);
        }
        return 'goes on';
    }

    public function exception()
    {
        throw new \DomainException('the shop is closed', 7, new \LogicException('no keeper'));
    }

    public function warning()
    {
        return $nothing;
    }

    public function memory()
    {
        ini_set('memory_limit', '16M');
        while (true) {
            $all[] = str_repeat('x', 1000);
        }
    }

    public function send()
    {
        return $this->response->setJSON((new ErrorStack())->send_error(['Msg' => 'sent']));
    }

    public function image()
    {
        $gif = (new ErrorStack())->send_error(['Msg' => 'sent'], '', 'img');
        return $this->response->setContentType('image/gif')->setBody($gif);
    }
}
