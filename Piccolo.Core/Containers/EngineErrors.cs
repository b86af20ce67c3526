using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Docker.DotNet;

namespace Piccolo.Core.Containers;

/// <summary>Turns what the engine's client throws, and what the engine says, into faults. Pure.</summary>
internal static class EngineErrors
{
    public static readonly ContainerFault NoEngine = new(ContainerFaultKind.NoEngine,
        "No container engine is configured.", "Set Piccolo:Containers:Socket to the engine's REST socket.");

    public static readonly ContainerFault NotFound = new(ContainerFaultKind.NotFound, "The container no longer exists.", "It will be recreated automatically.");

    public static ContainerFault Unreachable(string socket) => new(ContainerFaultKind.EngineUnreachable,
        $"The container engine does not answer at {socket}.", "Check that it runs: systemctl status podman.socket");

    public static ContainerFault Foreign(string name) => new(ContainerFaultKind.Foreign,
        $"A container named {name} exists that does not belong to this appliance.", "Remove or rename it; it is never touched from here.");

    public static ContainerFault ForeignVolume(string name) => new(ContainerFaultKind.Foreign,
        $"A volume named {name} exists that does not belong to this appliance.", "Remove or rename it; it is never touched from here.");

    public static ContainerFault ForeignNetwork(string name) => new(ContainerFaultKind.Foreign,
        $"A network named {name} exists that does not belong to this appliance.", "Remove or rename it; it is never touched from here.");

    public static readonly ContainerFault Refused = new(ContainerFaultKind.Refused, "The container engine refused.", "The appliance's log has its reason.");

    public static ContainerFault MountPath(string path) => new(ContainerFaultKind.Refused,
        $"Nothing can be mounted at {path}: the path, or that of its folder, has a colon.", "Choose a path without a colon in the app's manifest.");

    public static ContainerFault NoAddresses(string network) => new(ContainerFaultKind.Refused,
        $"The network {network} has too few addresses for the app's services.", "Give the container engine larger subnets, or use fewer services.");

    public static ContainerFault ExecSilent(TimeSpan limit) => new(ContainerFaultKind.Refused,
        string.Create(CultureInfo.InvariantCulture, $"The command in the container did not answer within {limit.TotalSeconds:0.#} seconds."),
        "Look at what the app printed. Restart the app if this persists.");

    public static ContainerFault VolumePath(ImageReference image) => new(ContainerFaultKind.Refused,
        $"The image {image} declares a volume at a path with a colon, which cannot be kept.", "Use an image whose volumes have other paths.");

    public static readonly ContainerFault NoFirewall = new(ContainerFaultKind.FirewallMissing,
        "The firewall table 'inet piccolo_apps' of this release is not loaded: nothing would limit what the app reaches.",
        "Restart the daemon's unit, or load the table: nft -f piccolo-apps.nft. Retrying automatically.");

    public static readonly ContainerFault FirewallSilent = new(ContainerFaultKind.FirewallUnknown,
        "The firewall cannot be asked or written: the internet and local network that the app's manifest allows may be closed to it.",
        "Check that nft is installed and that piccolo-firewall.socket listens. The appliance's log has the reason.");

    public static bool IsTransport(Exception e) => e is HttpRequestException or IOException or SocketException or TimeoutException;

    /// <summary>What the engine answered to a request about one container.</summary>
    public static ContainerFault FromAnswer(DockerApiException e)
    {
        var text = e.ResponseBody ?? "";
        if (Says(text, "address already in use", "port is already allocated")) return PortInUse;
        if (Says(text, NoSpaceLeft)) return NoSpace;
        if (Says(text, "container-init binary not found")) return NoInit;
        if (e is DockerImageNotFoundException || Says(text, "image not known", "no such image")) return ImageMissing;
        return e.StatusCode switch
        {
            HttpStatusCode.NotFound => NotFound,
            _ => Refused,
        };
    }

    public static bool IsNameTaken(DockerApiException e) => Says(e.ResponseBody ?? "", "already in use") && Says(e.ResponseBody ?? "", "name");

    /// <summary>What stands in the error line of a pull, which the engine sends with status 200.</summary>
    public static ContainerFault FromPull(ImageReference image, string text)
    {
        var registry = new ContainerFault(ContainerFaultKind.RegistryUnreachable,
            $"The registry of {image} could not be reached.", "Check the device's internet connection. Retrying automatically.");
        if (Says(text, "toomanyrequests", "too many requests", "rate limit")) return RateLimited(image, RetryHint.In(text));
        if (Says(text, NoSpaceLeft)) return NoSpace;
        if (Says(text, "manifest list for architecture", "image index for architecture", "no matching manifest"))
            return new(ContainerFaultKind.NoPlatform,
                $"The image {image} does not exist for this device's processor.", "Choose another image or tag, one that is made for this kind of device.");
        // Some registries say this of names that they do not have.
        if (Says(text, "unauthorized", "authentication required", "resource is denied", "access denied", "denied:", ": denied", "access forbidden"))
            return new(ContainerFaultKind.SignInNeeded,
                $"The registry of {image} wants a sign-in, or has no image of that name.",
                "Check the image's name. Images that need a sign-in cannot be used.");
        if (Says(text, "manifest unknown", "name unknown", "not found", "no such image", "does not exist"))
            return new(ContainerFaultKind.ImageNotFound, $"The image {image} was not found.", "Check the image's name and tag.");
        if (Says(text, "dial tcp", "no such host", "connection refused", "timeout", "unreachable", "pinging container registry", "tls:", "x509:", "EOF"))
            return registry;
        return new(ContainerFaultKind.Refused, $"The image {image} could not be fetched.", "The appliance's log has the engine's reason.");
    }

    private static ContainerFault RateLimited(ImageReference image, TimeSpan? retryAfter) => new(
        ContainerFaultKind.RateLimited, $"The registry of {image} is rate-limiting this address.",
        retryAfter is { } time
            ? string.Create(
                CultureInfo.InvariantCulture, $"It wants to be asked again in {Math.Ceiling(time.TotalMinutes):0} min. Retrying automatically then.")
            : "Retrying automatically, every 15 minutes.")
    { RetryAfter = retryAfter };

    public static ContainerFault PullSilent(ImageReference image, TimeSpan limit) => new(ContainerFaultKind.RegistryUnreachable,
        string.Create(CultureInfo.InvariantCulture, $"No more of the image {image} arrived for {limit.TotalMinutes:0.#} minutes."),
        "Check the device's internet connection. Retrying automatically.");

    private const string NoSpaceLeft = "no space left on device";

    private static ContainerFault NoSpace => new(ContainerFaultKind.NoSpace,
        "The device has no space left for images and containers.", "Free some space on the disk. Retrying automatically.");

    private static ContainerFault NoInit => new(ContainerFaultKind.Refused,
        "The app wants an init process, and the container engine has no program for that.", "Install the package catatonit on the device.");

    private static ContainerFault PortInUse => new(ContainerFaultKind.PortInUse,
        "Another program uses the port at which the app is published.", "Retrying automatically. If this persists, stop the other program.");

    private static ContainerFault ImageMissing =>
        new(ContainerFaultKind.ImageNotFound, "The image is not on this device.", "It will be pulled again automatically.");

    private static bool Says(string text, params ReadOnlySpan<string> phrases)
    {
        foreach (var phrase in phrases)
            if (text.Contains(phrase, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }
}
