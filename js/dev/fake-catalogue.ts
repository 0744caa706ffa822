/** The choices that a kernel offers: made up, but as many and as long as the real ones. */
export const CHOICES = {
  methods: [
    { name: "rise", label: "RISE", hint: "Random masks, encoded once: faithful to any encoder" },
    { name: "cam", label: "CAM", hint: "The encoder's last feature map: instant and exact for average pooling" },
    { name: "rise_cam", label: "RISE × CAM", hint: "Where both agree: sharper than either" },
    { name: "occlusion", label: "Occlusion", hint: "A square that slides over the image" },
    { name: "kernel_shap", label: "KernelSHAP", hint: "Shapley values of superpixels: they sum to the score" },
    { name: "lime", label: "LIME", hint: "A sparse linear model of superpixels" },
    { name: "integrated_gradients", label: "Integrated gradients", hint: "Complete: sums to the score. Needs passes" },
    { name: "gradient_shap", label: "GradientSHAP", hint: "Expected gradients over baselines. Needs passes" },
    { name: "smooth_grad", label: "SmoothGrad", hint: "Gradients averaged over noise. Needs passes" },
    { name: "saliency", label: "Saliency", hint: "The plain gradient: fast and noisy" },
    { name: "input_x_gradient", label: "Input × gradient", hint: "First-order effect of each pixel" },
    { name: "gradcam", label: "Grad-CAM", hint: "Weighted feature maps", unavailable: "Needs a convolutional encoder" },
    { name: "rollout", label: "Attention rollout", hint: "Attention, layer by layer", unavailable: "Needs a ViT" },
    { name: "random", label: "Random", hint: "No explanation at all: what every method has to beat" },
  ],
  targets: [
    { name: "contrastive_corpus", label: "Corpus vs. foil", hint: "What makes it like the corpus and unlike the foil" },
    { name: "corpus", label: "Corpus", hint: "What makes it like the corpus" },
    { name: "label_free", label: "Itself", hint: "What its own representation rests on" },
    { name: "contrastive_label_free", label: "Itself vs. foil", hint: "What sets it apart from the foil" },
  ],
  similarities: [
    { name: "cosine", label: "Cosine", hint: "Angle between representations" },
    { name: "dot", label: "Dot product", hint: "Also counts their length" },
  ],
  baselines: [
    { name: "blur", label: "Blur", hint: "A blurred image: keeps colours, takes details" },
    { name: "mean", label: "Mean colour", hint: "One colour, the image's own mean" },
    { name: "black", label: "Black", hint: "Zeros: simple, but unlike any photograph" },
    { name: "noise", label: "Noise", hint: "Random pixels", unavailable: "CAM does not use a baseline" },
  ],
  text: {
    available: true,
    reason: null,
    note: "This tower stands in for CLIP, whose weights have to be downloaded.",
    context: 77,
    templates: [
      { name: "none", label: "As typed", hint: "Nothing is put around a text" },
      { name: "photo", label: "This is a photo of a …", hint: "The sentence of the paper, for names of things" },
      { name: "ensemble", label: "Several sentences", hint: "The mean of eight sentences about a name" },
    ],
    lists: [
      { name: "cifar100", label: "CIFAR-100", count: 100 },
      { name: "imagenet", label: "ImageNet", count: 1000 },
    ],
  },
  layers: [
    { name: "attribution", label: "Attribution", hint: "What speaks for the corpus and what for the foil" },
    { name: "error", label: "Standard error", hint: "How far the random masks may be off" },
    {
      name: "stability",
      label: "Deviation over resampled bins",
      hint: "How much the map rests on the choice of images",
    },
  ],
};
