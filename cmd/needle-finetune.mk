# needle-finetune
