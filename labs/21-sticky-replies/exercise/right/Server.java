// other: Java, with a thread for each client and streams that buffer
import java.io.*;
import java.net.*;

public class Server {
    public static void main(String[] args) throws IOException {
        try (ServerSocket listener = new ServerSocket(Integer.parseInt(System.getenv("PORT")))) {
            while (true) {
                Socket conn = listener.accept();
                new Thread(() -> serve(conn)).start();
            }
        }
    }

    static void serve(Socket conn) {
        try (conn) {
            InputStream in = new BufferedInputStream(conn.getInputStream());
            OutputStream out = new BufferedOutputStream(conn.getOutputStream());
            byte[] line;
            while ((line = readLine(in)) != null) {
                byte[] body = answer(line);
                out.write((body.length + "\n").getBytes());
                out.write(body);
                out.flush();
            }
        } catch (IOException error) {
            System.err.println("left: " + error);
        }
    }

    /** The next line without its end; null if the client left, or the line is too long. */
    static byte[] readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b; (b = in.read()) >= 0; line.write(b)) {
            if (b == '\n') {
                return line.toByteArray();
            }
            if (line.size() == 1024) {
                return null;
            }
        }
        return null;
    }

    static byte[] answer(byte[] line) throws IOException {
        String text = new String(line, "UTF-8");
        int space = text.indexOf(' ');
        if (space < 0 || !text.substring(0, space).matches("[0-9]{1,9}")) {
            return "?\n".getBytes();
        }
        int times = Integer.parseInt(text.substring(0, space));
        return times > 1000 ? "?\n".getBytes() : (text.substring(space + 1) + "\n").repeat(times).getBytes("UTF-8");
    }
}
