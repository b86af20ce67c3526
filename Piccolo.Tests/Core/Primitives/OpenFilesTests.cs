using System.Net.Sockets;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Core.Primitives;

internal sealed class OpenFilesTests
{
    [TestCase(0, false, true)]
    [TestCase(100_000_000, true, false)]
    public void IsShort_NearTheLimit_RefusesClientsAndApps(int limit, bool hasRoom, bool isShort)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var files = new OpenFiles(limit);

        Assert.That((files.HasRoomForApps(), files.IsShort(socket)), Is.EqualTo((hasRoom, isShort)));
    }

    [Test]
    public void IsShort_WhatIsKept_IsMoreForAppsThanForClients()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var number = (int)socket.Handle;
        // The next descriptor has a higher number than this one, or a lower one that was freed; either is below the limit.
        var files = new OpenFiles(number + 200 + 1000);

        Assert.That((files.IsShort(socket), files.HasRoomForApps()), Is.EqualTo((false, true)));
        Assert.That(new OpenFiles(number + 1).IsShort(socket), Is.True);
    }

    [Test]
    public void Limit_None_IsNeverShort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var files = new OpenFiles(null);

        Assert.That((files.IsShort(socket), files.HasRoomForApps()), Is.EqualTo((false, true)));
    }
}
