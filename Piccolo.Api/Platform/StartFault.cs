using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Piccolo.Api.Platform;

/// <summary>Why the daemon cannot start, in a sentence for whoever set it up, and the exit code that goes with it. Codes: sysexits.h.</summary>
internal sealed record StartFault(int ExitCode, string Sentence)
{
    /// <summary>EX_CONFIG: a setting is invalid. To start again does not help, and the unit does not.</summary>
    public const int InvalidSettingExitCode = 78;

    /// <summary>EX_UNAVAILABLE: a port cannot be had. It may be free at the next start.</summary>
    public const int PortExitCode = 69;

    /// <returns>Null for anything else, which is a bug and ends the process with its stack.</returns>
    public static StartFault? Of(Exception exception) => exception switch
    {
        OptionsValidationException invalid =>
            new(InvalidSettingExitCode, $"A setting is invalid. {string.Join(" ", invalid.Failures.Select(failure => Named(failure, invalid.OptionsType)))}"),
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder" } unreadable =>
            new(InvalidSettingExitCode, $"A setting is invalid. {unreadable.Message}"),
        IOException { InnerException: AddressInUseException } taken =>
            new(PortExitCode, $"{taken.Message} Stop the other program, or give Piccolo another port."),
        AddressInUseException taken => new(PortExitCode, $"{taken.Message} Stop the other program, or give Piccolo another port."),
        IOException { InnerException: SocketException { SocketErrorCode: SocketError.AccessDenied } } refused =>
            new(PortExitCode, $"{refused.Message} Ports below 1024 need the capability CAP_NET_BIND_SERVICE."),
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } =>
            new(PortExitCode, "An address to listen on is not one of this machine's: see Piccolo:Ingress:ListenAddress."),
        _ => null,
    };

    /// <summary>"DataAnnotation validation failed for 'IngressOptions' members: 'HttpPort' with the error: '...'." by the name that the owner wrote.</summary>
    private static string Named(string failure, Type options)
    {
        if (options.GetField("Section")?.GetRawConstantValue() is not string section) return failure;
        if (failure.Split("members: '", 2) is not [_, var rest] || rest.Split("' with the error: '", 2) is not [var member, var error]) return failure;
        return $"{section}:{member}: {error.TrimEnd('.', '\'')}.";
    }

    public void Report()
    {
        Console.Error.WriteLine(Sentence);
        Environment.ExitCode = ExitCode;
    }
}
