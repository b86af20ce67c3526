using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Piccolo.Bench;

/// <summary>
/// Asks for readiness at a steady pace, as a process of its own and with one blocking socket: an outside checker, whose figures hold nothing of the
/// benchmark's own garbage collections, compilations and queues. Ends at SIGTERM and writes what it measured.
/// </summary>
internal static class ReadyProbe
{
    public const string Command = "probe";
    public const string Path = "/api/v1/health/ready";
    private const int LongestSeconds = 30;

    /// <param name="args">Port, milliseconds between requests, file for the samples.</param>
    public static int Run(string[] args)
    {
        if (args is not [var port, var every, var file]) return 2;
        using var ended = new ManualResetEvent(false);
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            ended.Set();
        });
        var samples = new List<Sample>(100_000);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = LongestSeconds * 1000,
        };
        socket.Connect("127.0.0.1", int.Parse(port, CultureInfo.InvariantCulture));
        var request = Encoding.ASCII.GetBytes($"GET {Path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        var answer = new byte[64 * 1024];
        var pause = int.Parse(every, CultureInfo.InvariantCulture);
        for (var due = Stopwatch.GetTimestamp(); ; due += pause * Stopwatch.Frequency / 1000)
        {
            var early = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (ended.WaitOne(Math.Max(0, (int)early.TotalMilliseconds))) break;
            // The pace is the clock's, not the answer's: one late answer does not hide that others would have waited too. What the probe overslept is its own.
            var from = early < TimeSpan.Zero ? due : Stopwatch.GetTimestamp();
            socket.Send(request);
            if (!ReadAnswer(socket, answer)) throw new InvalidOperationException("Readiness was not answered 200.");
            samples.Add(new Sample(from, Stopwatch.GetElapsedTime(from).TotalMilliseconds));
        }
        File.WriteAllLines(file, samples.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.At} {s.Milliseconds:0.####}")));
        return 0;
    }

    /// <returns>Whether it was 200 and whole.</returns>
    private static bool ReadAnswer(Socket socket, byte[] buffer)
    {
        var length = 0;
        while (true)
        {
            var read = socket.Receive(buffer, length, buffer.Length - length, SocketFlags.None);
            if (read == 0) return false;
            length += read;
            var text = buffer.AsSpan(0, length);
            if (!text.StartsWith("HTTP/1.1 200"u8)) return false;
            // Chunked: the last chunk ends it. That no JSON of ours holds these bytes is why this is enough here.
            if (text.EndsWith("\r\n0\r\n\r\n"u8)) return true;
        }
    }

    /// <param name="At"><see cref="Stopwatch.GetTimestamp"/> when it was due; one clock for all processes of the machine.</param>
    /// <param name="Milliseconds">From then until the whole answer was there.</param>
    internal readonly record struct Sample(long At, double Milliseconds);
}
