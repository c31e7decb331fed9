// What is run with JeroMQ 0.3: each socket type once. Prints what came of it as JSON.

import org.zeromq.ZMQ;

public class Client {
    static final int COUNT = 100;
    static final ZMQ.Context CONTEXT = ZMQ.context(1);

    static ZMQ.Socket open(int kind, String port) {
        ZMQ.Socket socket = CONTEXT.socket(kind);
        socket.setLinger(10_000);
        socket.setReceiveTimeOut(20_000);
        if (kind == ZMQ.SUB) {
            socket.subscribe(new byte[0]);
        }
        socket.connect("tcp://127.0.0.1:" + System.getenv(port));
        return socket;
    }

    static void publish(String name) throws InterruptedException {
        ZMQ.Socket socket = open(name.equals("PUB") ? ZMQ.PUB : ZMQ.PUSH, "PUB_PORT");
        if (name.equals("PUB")) {
            Thread.sleep(1000);
        }
        for (int number = 0; number < COUNT; number++) {
            socket.sendMore(name);
            socket.send("{\"message_id\": \"" + name + "-" + number + "\"}");
        }
        socket.close();
    }

    static int receive(int expected) {
        ZMQ.Socket socket = open(ZMQ.SUB, "SUB_PORT");
        int count = 0;
        while (count < expected && socket.recv() != null) {
            while (socket.hasReceiveMore()) {
                socket.recv();
            }
            count++;
        }
        socket.close();
        return count;
    }

    static String ask(int kind) {
        ZMQ.Socket socket = open(kind, "CONTROL_PORT");
        socket.send("{\"op\": \"hello\", \"id\": 1, \"protocol\": 1}");
        String reply = socket.recvStr();
        socket.close();
        return reply != null && reply.contains("\"type\":\"reply\"") ? "reply" : "" + reply;
    }

    public static void main(String[] arguments) throws Exception {
        String[] publishers = System.getenv("PUBLISHERS").split(" ");
        for (String name : publishers) {
            publish(name);
        }
        int count = receive(COUNT * publishers.length);
        String result = "\"SUB\": " + count + ", \"DEALER\": \"" + ask(ZMQ.DEALER)
            + "\", \"REQ\": \"" + ask(ZMQ.REQ) + "\"";
        System.out.println("{\"version\": \"JeroMQ " + ZMQ.getVersionString()
            + "\", \"result\": {" + result + "}}");
        System.exit(0);
    }
}
