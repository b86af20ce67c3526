using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Tests.Core.Tunnel.Wire;

[Category("Nexus")]
internal sealed class UnsentLimitTests
{
    private static readonly TimeSpan Tenth = TimeSpan.FromMilliseconds(100);

    private readonly FakeTimeProvider _time = new();

    // 6 MiB in a tenth of a second are 60 MiB/s: 245 KiB in four milliseconds.
    [TestCase(20_000, UnsentLimit.MinBytes)]
    [TestCase(2 * 1024 * 1024, 83_886)]
    [TestCase(6 * 1024 * 1024, 251_658)]
    [TestCase(100 * 1024 * 1024, UnsentLimit.MaxBytes)]
    public void Sent_AtARate_AllowsWhatTheLineTakesInAMoment(int bytes, int expected)
    {
        using var socket = NewSocket();
        var limit = new UnsentLimit(socket, _time);

        _time.Advance(Tenth);
        limit.Sent(bytes);

        Assert.That((limit.Current, KernelOf(socket)), Is.EqualTo((expected, expected)));
    }

    [Test]
    public void Sent_OnceTheLineIsSlow_FallsBack()
    {
        using var socket = NewSocket();
        var limit = new UnsentLimit(socket, _time);
        _time.Advance(Tenth);
        limit.Sent(100 * 1024 * 1024);

        _time.Advance(Tenth);
        limit.Sent(6_400);

        Assert.That(KernelOf(socket), Is.EqualTo(UnsentLimit.MinBytes));
    }

    [Test]
    public void Sent_WithinAMoment_IsNotJudgedYet()
    {
        using var socket = NewSocket();
        var limit = new UnsentLimit(socket, _time);

        _time.Advance(Tenth / 2);
        limit.Sent(100 * 1024 * 1024);

        Assert.That(KernelOf(socket), Is.EqualTo(UnsentLimit.MinBytes));
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    private static int KernelOf(Socket socket)
    {
        var value = new byte[sizeof(int)];
        socket.GetRawSocketOption(optionLevel: 6, optionName: 25, value);
        return BitConverter.ToInt32(value);
    }
}
